"""Opens a backend, and refuses what is none: plugins are other people's code."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from inspect import iscoroutine
from typing import Any, TypeVar

from anyio.lowlevel import checkpoint_if_cancelled

from kiro_core.catalog.bounds import Bounds, Within
from kiro_core.errors import PluginError

T = TypeVar("T")


@asynccontextmanager
async def opened(
    give: Callable[[], AbstractAsyncContextManager[T]], called: str, ports: Sequence[type], within: Within
) -> AsyncIterator[T]:
    """Enter the backend that a provider's `open` gives; `called` names it, such as `Store 'pg' (kiro-pg 1.0)`.

    What the block raises comes out as it is, whatever the backend makes of it. Leaving is shielded, and not longer
    than it may.

    Raises on entering:
        PluginError: it raised something (chained), took too long, or has not all methods of one of `ports`.
        KiroError: its own.

    Raises on leaving, unless the block failed:
        PluginError: as above; or what it raised or cancelled of itself has ended the block.

    """
    bounds = Bounds(called, within)
    async with bounds.kept(), _given(give, called) as backend:
        await checkpoint_if_cancelled()  # what is ready too late has not opened
        with bounds.lifted():
            _check(backend, called, ports)
            yield backend


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
