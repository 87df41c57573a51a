"""What a person sees of a run while it goes on: a table that moves at a terminal, else a line for each step."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from dataclasses import asdict
from typing import Protocol

import anyio
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kiro_core.cli.crew.lines import last_of, news, spent, state_of, took
from kiro_core.cli.text import tell
from kiro_core.errors import unwrapped
from kiro_core.types import RunView

_FRAME_S = 0.1
_TICK_S = 1.0
_COLUMNS = 5


class Display(Protocol):
    """Where a run is shown."""

    def show(self, view: RunView) -> None:
        """Show how it stands now."""
        ...

    def shown(self) -> AbstractAsyncContextManager[None]:
        """Show runs as long as the block lasts."""
        ...

    def paused(self) -> AbstractContextManager[None]:
        """Leave the terminal to a question as long as the block lasts."""
        ...


class Lines:
    """On stderr, a line when a stage has begun or ended."""

    def __init__(self) -> None:
        """Nothing is told yet."""
        self._told: RunView | None = None

    def show(self, view: RunView) -> None:
        """See `Display.show`."""
        for line in news(self._told, view):
            tell(line)
        self._told = view

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """See `Display.shown`."""
        yield

    def paused(self) -> AbstractContextManager[None]:
        """See `Display.paused`."""
        return nullcontext()


class Moving:
    """At the terminal that is stderr, a table of all stages; it goes when the run has ended."""

    def __init__(self) -> None:
        """Draw nothing yet."""
        self._view: RunView | None = None
        self._changed = anyio.Event()
        self._is_open = False
        self._pauses = 0
        console = Console(stderr=True)
        self._live = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )

    def show(self, view: RunView) -> None:
        """See `Display.show`."""
        self._view = view
        self._changed.set()

    @asynccontextmanager
    async def shown(self) -> AsyncIterator[None]:
        """See `Display.shown`."""
        self._is_open = True
        self._settle()
        try:
            with unwrapped():
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._draw)
                    try:
                        yield
                    finally:
                        tasks.cancel_scope.cancel()
        finally:
            self._is_open = False
            self._settle()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """See `Display.paused`."""
        self._pauses += 1
        self._settle()
        try:
            yield
        finally:
            self._pauses -= 1
            self._settle()

    def _settle(self) -> None:
        """Have the table there, or not."""
        if self._is_open and not self._pauses:
            self._live.start()
        else:
            self._live.stop()

    async def _draw(self) -> None:
        """Draw what is new, ten times a second at most, and the time once a second."""
        while True:
            self._changed = anyio.Event()
            if self._view is not None and self._live.is_started:
                self._live.update(_table(self._view), refresh=True)
            await anyio.sleep(_FRAME_S)
            with anyio.move_on_after(_TICK_S):
                await self._changed.wait()


def _table(view: RunView) -> Table:
    table = Table.grid(padding=(0, 2))
    for _ in range(_COLUMNS):
        table.add_column(no_wrap=True, overflow="ellipsis")
    now = time.time()
    for stage in view.stages:
        cells = (stage.id, state_of(stage), took(stage, now), spent(asdict(stage.usage)), last_of(stage))
        table.add_row(*map(Text, cells))  # Text: brackets in what an agent says are no markup
    return table
