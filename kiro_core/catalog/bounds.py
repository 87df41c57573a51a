"""Says whose failure it is when a backend opens, is used and closes, and how long each end may take."""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import NoReturn

from anyio import CancelScope, current_time, get_cancelled_exc_class
from anyio.lowlevel import checkpoint_if_cancelled

from kiro_core.errors import KiroError, PluginError, innermost
from kiro_core.explain import in_words

_LOG = logging.getLogger(__name__)
_YIELDS = {"generator didn't yield": "its `open` yields nothing.", "generator didn't stop": "its `open` yields twice."}
"""What `contextlib` says of a generator, and what that is to its author."""


@dataclass(frozen=True, slots=True)
class Within:
    """How long a backend may take, in seconds; the defaults are those of the settings."""

    open_s: float = 60
    close_s: float = 8


class Bounds:
    """One cancel scope around entering, block and leaving, which has a deadline at both ends and none in the block.

    A backend enters scopes of its own (a task group) and leaves them behind the block: a scope of ours that
    ended between the two would cut through them.
    """

    def __init__(self, called: str, within: Within) -> None:
        """Begin to open; `called` names the backend."""
        self._called, self._within = called, within
        self._scope = CancelScope(deadline=current_time() + within.open_s)
        self._is_open = False
        self._failed: BaseException | None = None

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Goes around everything.

        Raises:
            PluginError, KiroError: as `opened`.

        """
        try:
            with self._scope:
                yield
        except BaseException as error:
            if error is self._failed or not isinstance(innermost(error), Exception | SystemExit):
                raise
            self._attribute(error)
        if self._scope.cancelled_caught:
            if self._failed is None:
                raise self._late()
            _LOG.warning("%s", self._late())
        await self._let_through()

    @contextmanager
    def lifted(self) -> Iterator[None]:
        """Goes around the block."""
        self._is_open, self._scope.deadline = True, math.inf
        try:
            yield
        except BaseException as error:
            self._failed = error
            raise
        finally:
            self._scope.shield, self._scope.deadline = True, current_time() + self._within.close_s

    def _attribute(self, error: BaseException) -> None:
        """Raise what the backend raised, which counts less than a failure of the block."""
        if isinstance(self._failed, get_cancelled_exc_class()):
            attribute(error, f"{self._called} has failed")  # a task of its own has, which cancels the block
        if self._failed is None:
            attribute(error, f"{self._called} cannot be {'closed' if self._is_open else 'opened'}")
        if innermost(error) is not innermost(self._failed):
            _LOG.warning("%s failed behind another failure: %s", self._called, in_words(innermost(error)))

    async def _let_through(self) -> None:
        """Raise what the block raised, which the backend has kept to itself or wrapped."""
        if self._failed is None:
            return
        if not isinstance(self._failed, get_cancelled_exc_class()):
            raise self._failed from self._failed.__cause__
        await checkpoint_if_cancelled()
        raise PluginError(
            f"{self._called} has failed: it has cancelled what uses it.",
            hint="A backend that cannot go on raises an error that says why.",
        )

    def _late(self) -> PluginError:
        if self._is_open:
            return PluginError(
                f"{self._called} has not closed within {self._within.close_s:g} s.",
                hint="Its clean-up was cut off; look for what it left behind.",
            )
        return PluginError(
            f"{self._called} has not opened within {self._within.open_s:g} s.",
            hint="Look at its options in the settings; limits.start_s is how long it may take.",
        )


def attribute(error: BaseException, begin: str) -> NoReturn:
    """Raise it as a sentence that begins so, unless it is one of ours already.

    Raises:
        KiroError: always.

    """
    cause = innermost(error)
    if isinstance(cause, KiroError):
        raise cause
    reason = _YIELDS.get(str(cause)) if isinstance(cause, RuntimeError) else None
    raise PluginError(f"{begin}: {reason or in_words(cause)}", hint="Look at its options in the settings.") from cause
