"""One command that the desk runs for an agent, in a task that lives from its start until it is released."""

from __future__ import annotations

import signal
from typing import Any, Final

import anyio
from anyio.abc import TaskStatus

from kiro_core.errors import unwrapped
from kiro_core.journal import Output
from kiro_core.ports import Launcher, Process
from kiro_core.types import Command, Exit

_LAST_WORDS_S = 1.0
_SAID_ALL = (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.BusyResourceError)


class Terminal:
    """A command with its output and its end; `call` is the tool call that asked a person for it, or empty."""

    def __init__(self, command: Command, limit: int, call: str = "") -> None:
        """Keep the last `limit` bytes of what it prints."""
        self.output: Final = Output(limit)
        self.call = call
        self.began: bool = False
        self.ended: Final = anyio.Event()
        self.released: Final = anyio.Event()
        self.gone: Final = anyio.Event()
        self.command = command
        self._process: Process | None = None
        self._running = anyio.CancelScope()
        self._said_all = anyio.Event()

    @property
    def exit_status(self) -> dict[str, Any] | None:
        """`{exitCode, signal}` once it has ended, the signal by its name; both null when nobody knows."""
        if not self.ended.is_set():
            return None
        ended = self._process.exit if self._process is not None else None
        return {"exitCode": None, "signal": None} if ended is None else _status(ended)

    def kill(self) -> None:
        """Begin to end it with all that it started; its output stays."""
        self._running.cancel()

    async def run(self, launcher: Launcher, task_status: TaskStatus[None]) -> None:
        """Run it; `task_status` is told when it has started.

        Raises:
            LaunchFailed: it did not start.

        """
        try:
            with unwrapped():
                async with anyio.create_task_group() as tasks:
                    async with launcher.launch(self.command) as self._process:
                        # Beside the block: what it says while it is being ended is kept too.
                        tasks.start_soon(self._listen, self._process)
                        self.began = True
                        task_status.started()
                        await self._over(self._process)
                    tasks.cancel_scope.cancel()
        finally:
            self.ended.set()

    async def _over(self, process: Process) -> None:
        with self._running:
            await process.wait()
            # What moved on to a group of its own may hold the pipe open for ever.
            with anyio.move_on_after(_LAST_WORDS_S):
                await self._said_all.wait()

    async def _listen(self, process: Process) -> None:
        try:
            while True:
                self.output.add(await process.receive())
        except _SAID_ALL:
            self.output.add(b"", final=True)
            self._said_all.set()


def _status(ended: Exit) -> dict[str, Any]:
    if ended.code >= 0:
        return {"exitCode": ended.code, "signal": None}
    try:
        return {"exitCode": None, "signal": signal.Signals(-ended.code).name}
    except ValueError:
        return {"exitCode": None, "signal": str(-ended.code)}
