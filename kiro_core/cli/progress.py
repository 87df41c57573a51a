"""Tells a person at the terminal what is being waited for, where it takes longer than a moment."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup

from kiro_core.cli.text import clear_passing, tell_passing
from kiro_core.errors import unwrapped

T = TypeVar("T")

_MOMENT_S = 1.0


@asynccontextmanager
async def progress(doing: str) -> AsyncIterator[None]:
    """Show `doing` on stderr while the block takes longer than a second; never where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield
        return
    with unwrapped():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_tell_late, doing)
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()


async def opened(opening: Awaitable[T], doing: str, tasks: TaskGroup) -> T:
    """What an `opening` comes to, `doing` as with `progress`: what it enters may stay open behind it.

    It is told from one of `tasks`, since a scope around what enters scopes of its own would have to outlive them.
    """
    if not sys.stderr.isatty():
        return await opening
    scope = anyio.CancelScope()

    async def tell() -> None:
        with scope:
            await _tell_late(doing)

    tasks.start_soon(tell)
    try:
        return await opening
    finally:
        scope.cancel()


async def _tell_late(doing: str) -> None:
    await anyio.sleep(_MOMENT_S)
    tell_passing(f"{doing}…")
    try:
        await anyio.sleep_forever()
    finally:
        clear_passing()
