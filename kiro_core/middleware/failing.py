"""What is said of a middleware that failed: its name, where, and nothing of what may have been in its hands.

The text of an exception may quote what was not to pass, so that goes to the log alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from kiro_core.errors import MiddlewareFailed, Vetoed

_LOG = logging.getLogger(__name__)
_OUT = "take it out of the setting `middlewares`"
_LOGGED = "The log of the desk has the details."

FAILS = (Exception, SystemExit)
"""How a middleware fails; some libraries leave the program where they could raise, which is not theirs to do here."""

Own = Vetoed | MiddlewareFailed
"""What a middleware itself has done, in contrast to what came out of what it was given."""


class Failing:
    """Makes the errors of one middleware in one session."""

    def __init__(self, name: str, session: str) -> None:
        """It is called that in the settings; `session` is for the log."""
        self.name = name
        self._session = session

    def of(self, seam: str, error: BaseException | None) -> Own:
        """What it raised; a veto is its own to word."""
        if isinstance(error, Vetoed):
            error.details.setdefault("middleware", self.name)
            return error
        return self.raised(seam, error)

    def raised(self, seam: str, error: BaseException | None) -> MiddlewareFailed:
        """It raised that, or gave up without a word."""
        what = type(error).__name__ if error is not None else "it gave up"
        return self._failed(f"failed at {seam}: {what}.", _LOGGED, seam, error)

    def late(self, seam: str, limit_s: float) -> MiddlewareFailed:
        """Its time was over."""
        hint = f"Raise `limits.middleware_s`, or {_OUT}."
        return self._failed(f"took longer than {limit_s:g} s of its own at {seam}.", hint, seam)

    def leaked(self, seam: str, leak: BaseException) -> MiddlewareFailed:
        """It has left a cancel scope or a task group open."""
        return self._failed(f"left a cancel scope or a task group open at {seam}.", _LOGGED, seam, leak)

    def wrong(self, seam: str, gave: object, belongs: str) -> MiddlewareFailed:
        """It gave something else than it was to give."""
        sentence = f"gave a {type(gave).__name__} at {seam}, where {belongs} belongs."
        return self._failed(sentence, f"Update it, or {_OUT}.", seam)

    def now(self, seam: str, verb: Callable[..., Any], *given: Any) -> Any:
        """What it gives at once.

        Raises:
            Vetoed, MiddlewareFailed: it raised something.

        """
        try:
            return verb(*given)
        except Vetoed as veto:
            raise self.of(seam, veto)  # noqa: B904 - the same one
        except FAILS as error:  # a middleware fails in any way it likes
            raise self.raised(seam, error) from error

    def _failed(self, what: str, hint: str, seam: str, cause: BaseException | None = None) -> MiddlewareFailed:
        _LOG.error("session %s: the middleware '%s' %s", self._session, self.name, what, exc_info=cause)
        error = MiddlewareFailed(f"The middleware '{self.name}' {what}", hint=hint, middleware=self.name, seam=seam)
        error.__cause__ = cause
        return error


def single(error: BaseException) -> BaseException:
    """The one failure in a group, where the middleware has a task group of its own; several stay a group."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
