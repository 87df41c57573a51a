"""Opens a backend in bounded time, and says whose failure it is when that fails: plugins are other people's code."""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from inspect import iscoroutine
from typing import Any, NoReturn, TypeVar

from anyio import CancelScope, current_time
from anyio.lowlevel import checkpoint_if_cancelled

from kiro_core.errors import KiroError, PluginError, innermost
from kiro_core.explain import in_words

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_YIELDS = {"generator didn't yield": "its `open` yields nothing.", "generator didn't stop": "its `open` yields twice."}
"""What `contextlib` says of a generator, and what that is to its author."""


@dataclass(frozen=True, slots=True)
class Within:
    """How long a backend may take, in seconds; the defaults are those of the settings."""

    open_s: float = 60
    close_s: float = 8


@asynccontextmanager
async def opened(
    give: Callable[[], AbstractAsyncContextManager[T]], called: str, ports: Sequence[type], within: Within
) -> AsyncIterator[T]:
    """Enter the backend that a provider's `open` gives; `called` names it, such as `Store 'pg' (kiro-pg 1.0)`.

    What the block raises comes out as it is. Leaving is shielded, and not longer than it may.

    Raises on entering:
        PluginError: it raised something (chained), took too long, or has not all methods of one of `ports`.
        KiroError: its own.

    Raises on leaving, unless the block failed:
        PluginError: as above.

    """
    bounds = _Bounds(called, within)
    with bounds.kept():
        async with _given(give, called) as backend:
            await checkpoint_if_cancelled()  # what is ready too late has not opened
            with bounds.lifted():
                _check(backend, called, ports)
                yield backend


class _Bounds:
    """One cancel scope around entering, block and leaving, which has a deadline at both ends and none in the block.

    A backend enters scopes of its own (a task group) and leaves them behind the block: a scope of ours that
    ended between the two would cut through them.
    """

    def __init__(self, called: str, within: Within) -> None:
        self._called, self._within = called, within
        self._scope = CancelScope(deadline=current_time() + within.open_s)
        self._is_open = False
        self._failed: BaseException | None = None

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Goes around everything."""
        try:
            with self._scope:
                yield
        except Exception as error:
            if self._failed is None:
                attribute(error, f"{self._called} cannot be {'closed' if self._is_open else 'opened'}")
            raise
        if self._scope.cancelled_caught:
            if self._failed is None:
                raise self._late()
            _LOG.warning("%s", self._late())
            raise self._failed

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


def attribute(error: Exception, begin: str) -> NoReturn:
    """Raise it as a sentence that begins so, unless it is one of ours already.

    Raises:
        KiroError: always.

    """
    cause = innermost(error)
    if isinstance(cause, KiroError):
        raise cause
    reason = _YIELDS.get(str(cause)) if isinstance(cause, RuntimeError) else None
    raise PluginError(f"{begin}: {reason or in_words(cause)}", hint="Look at its options in the settings.") from cause


def _given(give: Callable[[], AbstractAsyncContextManager[T]], called: str) -> AbstractAsyncContextManager[T]:
    given: Any = give()
    if hasattr(given, "__aenter__"):
        return given  # type: ignore[no-any-return] # what it gives inside shows when it is entered
    if iscoroutine(given):
        given.close()
    raise PluginError(
        f"{called} cannot be opened: its `open` gave a {type(given).__name__}.",
        hint="`open` returns an async context manager of the backend.",
    )


def _check(backend: object, called: str, ports: Sequence[type]) -> None:
    """Once, here, so that no call has to look whether there is such a method."""
    lacks = {port.__name__: _missing(backend, port) for port in ports}
    if lacks and all(lacks.values()):
        kinds = ", ".join(f"no {port} (it lacks {', '.join(names)})" for port, names in lacks.items())
        raise PluginError(
            f"{called} cannot be used: its `open` yields a {type(backend).__name__}, which is {kinds}.",
            hint="The Protocols in kiro_core.ports say what it has to have.",
        )


def _missing(backend: object, port: type) -> list[str]:
    methods = [name for name in vars(port) if not name.startswith("_")]
    return [name for name in methods if not callable(getattr(backend, name, None))]
