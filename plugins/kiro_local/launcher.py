"""Make a local process last exactly as long as the block that uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import anyio

from kiro_core.ports import Launcher, Process
from kiro_core.types import Command
from kiro_local.options import LocalOptions, environment
from kiro_local.process import LocalProcess
from kiro_local.start import start


@asynccontextmanager
async def open_launcher(options: LocalOptions) -> AsyncIterator[Launcher]:
    """Open the launcher; each process belongs to its own block, so there is nothing to close."""
    yield LocalLauncher(options)


class LocalLauncher:
    """Starts processes with one set of options."""

    def __init__(self, options: LocalOptions) -> None:
        """Keep the options."""
        self._options = options

    @asynccontextmanager
    async def launch(self, command: Command) -> AsyncIterator[Process]:
        """Start a command as leader of its own session and group; leaving the block ends the group.

        What the leader leaves behind in the group when it ends by itself is killed then. A program that
        moves on to a session of its own is out of reach.

        Raises:
            LaunchFailed: see `start`.

        """
        process = LocalProcess(start(command, environment(self._options, command)))
        async with _beside(process.supervise):
            try:
                yield process
            finally:
                await process.end(self._options.grace_s)


@asynccontextmanager
async def _beside(job: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """Run a job beside the block and wait for its end; what the block raises leaves without a group around it."""
    raised: BaseException | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(job)
        try:
            yield
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001 - raised again below, outside the task group
            raised = error
    if raised is not None:
        raise raised
