"""Runs one shell command from its start to its end, within its time and with what it may say."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass

import anyio

from kiro_core.errors import LaunchFailed, unwrapped
from kiro_core.ports import Launcher, Process
from kiro_core.types import Command, Exit

LAST_WORDS_S = 1.0
"""How long a command's output may stay open behind its end: something that it left behind may hold it."""

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: `status` as in `TriggerRun`.

    `output` is the beginning of its stdout, of `size` bytes in all; `words` is the end of its stderr, or why it
    did not start.
    """

    status: int | str
    output: bytes = b""
    size: int = 0
    words: str = ""


async def run_to_end(launcher: Launcher, command: Command, stdin: bytes, *, limit_s: float, kept: int) -> Ended:
    """Start a command, give it `stdin`, keep the first `kept` bytes of its stdout, and end all that it started.

    It never raises for what the command or the launcher does: that is in the answer.
    """
    talk = _Talk(kept)
    process: Process | None = None
    try:
        with anyio.move_on_after(limit_s), unwrapped():
            async with launcher.launch(command) as process:
                await talk.take_place(process, stdin)
    except LaunchFailed as error:
        return Ended("failed", words=str(error))
    except Exception:  # noqa: BLE001 - a launcher is a boundary: what fails in it must not look like a consent
        _LOG.exception("a trigger could not be run: its launcher failed")
        return Ended("failed", words="The launcher failed; the log says how.")
    words = process.stderr_tail().strip() if process is not None else ""
    return Ended("timeout" if talk.exit is None else talk.exit.code, bytes(talk.kept), talk.size, words)


class _Talk:
    """All that passes between a command and us; `kept` is the beginning of its stdout, of `size` bytes in all."""

    def __init__(self, limit: int) -> None:
        self.exit: Exit | None = None
        self.kept = bytearray()
        self.size = 0
        self._limit = limit
        self._heard = anyio.Event()

    async def take_place(self, process: Process, stdin: bytes) -> None:
        """Until it has ended; who does not read its stdin need not."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._tell, process, stdin)
            tasks.start_soon(self._listen, process)
            self.exit = await process.wait()
            with anyio.move_on_after(LAST_WORDS_S):
                await self._heard.wait()
            tasks.cancel_scope.cancel()

    async def _tell(self, process: Process, stdin: bytes) -> None:
        with suppress(anyio.BrokenResourceError):
            await process.send(stdin)
        await process.send_eof()

    async def _listen(self, process: Process) -> None:
        """Read to the end, so that nobody blocks on a full pipe."""
        with suppress(anyio.EndOfStream):
            while True:
                chunk = await process.receive()
                self.size += len(chunk)
                self.kept += chunk[: self._limit - len(self.kept)]
        self._heard.set()
