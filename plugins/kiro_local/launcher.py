"""Make a local process last exactly as long as the block that uses it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import PurePath
from typing import Any

import anyio

from kiro_core.errors import EndingFailed
from kiro_core.ports import Launcher, Process
from kiro_core.types import Command, Receipt
from kiro_local.ledger import Ledger
from kiro_local.options import LocalOptions, environment
from kiro_local.process import LocalProcess
from kiro_local.start import start


@asynccontextmanager
async def open_launcher(options: LocalOptions) -> AsyncIterator[Launcher]:
    """Open the launcher; each process belongs to its own block, so only its watchdog is left to close."""
    ledger = Ledger()
    try:
        yield LocalLauncher(options, ledger)
    finally:
        await ledger.close()


class LocalLauncher:
    """Starts processes with one set of options."""

    def __init__(self, options: LocalOptions, ledger: Ledger) -> None:
        """Note every launch in the ledger."""
        self._options = options
        self._ledger = ledger

    @asynccontextmanager
    async def launch(self, command: Command) -> AsyncIterator[Process]:
        """Start a command as leader of its own session and group; leaving the block ends all that it started.

        First the group, with the patience of the options; what the leader leaves behind in the group when it ends
        by itself is killed at once. Then whatever has moved on to a session of its own (see `end_launches`).

        Raises:
            LaunchFailed: see `start`.
            EndingFailed: something of it survived being killed.

        """
        async with self._ledger.launch() as launch:
            child = start(command, environment(self._options, command, launch))
            self._ledger.began(launch, child.popen.pid, PurePath(command.argv[0]).name)
            process = LocalProcess(child)
            async with _beside(process.supervise):
                try:
                    yield process
                finally:
                    await process.end(self._options.grace_s)
        process.reap()
        if process.exit is None or self._ledger.survives(launch):
            raise Surviving(process, launch, self._ledger)

    async def sweep(self) -> Sequence[Receipt]:
        """See `Launcher.sweep`; it knows a killed desk's launches by their receipts."""
        return await self._ledger.sweep()


class Surviving(EndingFailed):
    """A process that was killed, and hangs inside the kernel or belongs to somebody else."""

    def __init__(self, process: LocalProcess, launch: str, ledger: Ledger) -> None:
        """Know how to end it."""
        super().__init__(
            f"The agent program ({process.identity}) was killed, and it or something that it started is still there.",
            hint="Look at it with `ps`, and end the session again when it can end.",
            process=process.identity,
        )
        self._process, self._launch, self._ledger = process, launch, ledger

    async def again(self) -> None:
        """See `EndingFailed.again`; what can end does so as soon as it can, so nothing is waited for but the sweep."""
        self._process.reap()
        if self._ledger.survives(self._launch):
            await self._ledger.end(self._launch)
        self._process.reap()
        if self._process.exit is None or self._ledger.survives(self._launch):
            raise self


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
