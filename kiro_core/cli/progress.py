"""Tells a person at the terminal what is being waited for, where it takes longer than a moment."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from kiro_core.cli.text import clear_passing, tell_passing
from kiro_core.errors import unwrapped

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


async def _tell_late(doing: str) -> None:
    await anyio.sleep(_MOMENT_S)
    tell_passing(f"{doing}…")
    try:
        await anyio.sleep_forever()
    finally:
        clear_passing()
