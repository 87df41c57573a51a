"""One command that the demo has started: what it prints, what is typed at it, and how it ends."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import NamedTuple

import anyio

from kiro_core.errors import KiroError
from kiro_core.ports import Process


class Ended(NamedTuple):
    """A command that has ended: its exit code, minus the signal's number if one ended it, and all that it printed."""

    code: int
    output: str


class Program:
    """A process of the launcher, read when somebody asks what it says."""

    def __init__(self, process: Process) -> None:
        """Nothing is read yet."""
        self._process = process
        self._printed = b""

    @property
    def output(self) -> str:
        """What was read so far, stdout and stderr as they came."""
        return self._printed.decode("utf-8", "replace")

    async def says(self, text: str) -> None:
        """Read until it has printed this.

        Raises:
            KiroError: it ended without.

        """
        while text not in self.output:
            try:
                self._printed += await self._process.receive()
            except anyio.EndOfStream as error:
                raise KiroError(f"A command ended without saying {text!r}, but {self.output.strip()!r}.") from error

    async def types(self, line: str) -> None:
        """Type a line at its terminal."""
        await self._process.send(f"{line}\n".encode())

    async def ended(self) -> Ended:
        """Read and wait until it has ended."""
        with suppress(anyio.EndOfStream):
            while True:
                self._printed += await self._process.receive()
        return Ended((await self._process.wait()).code, self.output)

    async def killed(self, pid: int) -> None:
        """Kill it, which no program can prepare for, and wait until it has ended.

        Raises:
            KiroError: it runs as another process, or not any more.

        """
        if self._process.exit is not None or self._process.identity != f"pid {pid}":
            raise KiroError(f"The command that is to be killed does not run as pid {pid}.")
        os.kill(pid, signal.SIGKILL)
        await self._process.wait()
