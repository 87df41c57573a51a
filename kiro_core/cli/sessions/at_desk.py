"""Opens a desk for a command that looks at records, and closes it again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from kiro_core.cli.options import Given

if TYPE_CHECKING:
    from kiro_core.dispatcher import Dispatcher

T = TypeVar("T")


def at_desk(given: Given, work: Callable[[Dispatcher], Awaitable[T]]) -> T:
    """Do some work at a desk, and return what it returns.

    Raises:
        SettingsError, UnknownName, PluginError: the desk cannot be opened.

    """
    import anyio

    async def opened() -> T:
        from kiro_core.dispatcher import Wishes, opened_desk

        settings, registry = given.load()
        async with opened_desk(settings, registry, Wishes()) as desk:
            return await work(desk)

    return anyio.run(opened, backend="asyncio")
