"""The demo's hands: it starts this program's commands as a person at a shell would, and tells each of them."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup, TaskStatus

from kiro_core.cli.demo.home import Home
from kiro_core.cli.demo.narrating import Narrator
from kiro_core.cli.demo.program import Ended, Program
from kiro_core.engines.logins import own_program
from kiro_core.errors import KiroError, unwrapped
from kiro_core.ports import Launcher
from kiro_core.registry import Registry
from kiro_core.settings import load_settings
from kiro_core.types import Command

_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
"""Gives a command a pseudo-terminal, and passes on what is typed and printed there."""
_SERVES = re.compile(r"The desk serves as pid (\d+) at .*\n")


class Shell:
    """Runs commands in the demo's home; what they print goes to the narrator."""

    def __init__(self, home: Home, narrator: Narrator, launcher: Launcher, background: TaskGroup) -> None:
        """What is begun in the background ends with that group."""
        self.home = home
        self.narrator = narrator
        self._launcher = launcher
        self._background = background
        self._desk: Program | None = None

    async def run(self, *words: str) -> Ended:
        """Run `kiro-core WORDS` to its end."""
        self.narrator.command(_line(words))
        async with self._launcher.launch(self._command(words)) as process:
            ended = await Program(process).ended()
        self.narrator.output(ended.output)
        return ended

    async def begin(self, *words: str) -> Program:
        """Start `kiro-core WORDS` in the background; whoever begins it shows what it prints."""
        self.narrator.command(f"{_line(words)} &")
        return await self._begun(self._command(words))

    async def at_terminal(self, *words: str) -> Program:
        """The same at a pseudo-terminal, where a person waits for it."""
        self.narrator.command(_line(words))
        return await self._begun(self._command(words, before=(sys.executable, "-c", _TERMINAL), output_only=False))

    async def serve(self) -> None:
        """Start a desk that stays, and wait until it is ready."""
        self._desk = await self.begin("serve")
        await self._desk.says("The desk serves as pid")
        await self._desk.says("\n")
        self.narrator.output(self._desk.output)

    async def kill_desk(self) -> None:
        """Kill the desk that stays, by the pid that it has told.

        Raises:
            KiroError: it is not there, or has told another pid.

        """
        told = _SERVES.search(self._desk.output) if self._desk is not None else None
        if self._desk is None or told is None:
            raise KiroError("No desk has said which process it is.")
        self.narrator.command(f"kill -9 {told[1]}")
        await self._desk.killed(int(told[1]))

    def _command(self, words: Sequence[str], *, before: Sequence[str] = (), output_only: bool = True) -> Command:
        argv = (*before, own_program(), *words)
        # Escape codes would be in the way of who reads it here.
        return Command(argv, str(self.home.work), {"TERM": "dumb"}, output_only=output_only)

    async def _begun(self, command: Command) -> Program:
        program: Program = await self._background.start(self._keep, command)
        return program

    async def _keep(self, command: Command, *, task_status: TaskStatus[Program]) -> None:
        async with self._launcher.launch(command) as process:
            task_status.started(Program(process))
            await anyio.sleep_forever()


@asynccontextmanager
async def open_shell(home: Home, narrator: Narrator) -> AsyncIterator[Shell]:
    """Open one; leaving ends all that was started with it, and all that this has started."""
    with unwrapped():
        async with (
            Registry().launchers.open(load_settings({}).launcher) as launcher,
            anyio.create_task_group() as background,
        ):
            try:
                yield Shell(home, narrator, launcher, background)
            finally:
                background.cancel_scope.cancel()


def _line(words: Sequence[str]) -> str:
    return shlex.join(["kiro-core", *words])
