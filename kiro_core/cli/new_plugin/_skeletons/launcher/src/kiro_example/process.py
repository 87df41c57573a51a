"""A running program: its streams are what a session waits for, and its end is what a session leaves behind."""

import os
import signal
from contextlib import suppress

import anyio
import anyio.abc
from kiro_core import PipeStream
from kiro_core.errors import EndingFailed
from kiro_core.types import Exit

_TAIL_BYTES = 8192
_LAST_WORDS_S = 1.0
_KILLED_S = 5.0


class GroupProcess:
    """Implements `Process`; anyio starts and reaps it, the pipes are ours."""

    def __init__(self, process: anyio.abc.Process, stream: PipeStream, errors: PipeStream) -> None:
        """Take over a process that leads a group, its stdin and stdout as one stream, and its stderr."""
        self._process = process
        self._stream = stream
        self._errors = errors
        self._tail = b""
        self._silent = anyio.Event()
        self.identity = f"pid {process.pid}"
        self.receive = stream.receive
        self.send_eof = stream.send_eof

    @property
    def exit(self) -> Exit | None:
        """See `Process.exit`."""
        code = self._process.returncode
        return None if code is None else Exit(code)

    async def wait(self) -> Exit:
        """See `Process.wait`; what it wrote to stderr at last is read then, unless somebody else holds that open."""
        code = await self._process.wait()
        with anyio.move_on_after(_LAST_WORDS_S):
            await self._silent.wait()
        return Exit(code)

    def stderr_tail(self) -> str:
        """See `Process.stderr_tail`."""
        return self._tail.decode(errors="replace")

    async def send(self, item: bytes) -> None:
        """See `Process.send`."""
        try:
            await self._stream.send(item)
        except anyio.ClosedResourceError as error:
            raise anyio.BrokenResourceError from error

    async def read_errors(self) -> None:
        """Read its stderr until that ends: a program whose stderr nobody reads stops when the pipe is full."""
        with suppress(anyio.EndOfStream, anyio.ClosedResourceError):
            while True:
                self._tail = (self._tail + await self._errors.receive())[-_TAIL_BYTES:]
        self._silent.set()

    async def end(self, grace_s: float) -> None:
        """End it with its group: by the end of its stdin, then by SIGTERM, then by SIGKILL.

        Raises:
            EndingFailed: it is still there.

        """
        await self._stream.send_eof()
        await self._ended(grace_s)
        # Its children may live when it has ended, and so the group is signalled in any case.
        for number, patience_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, _KILLED_S)):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            await self._ended(patience_s)
        if self.exit is None:
            raise EndingFailed(f"The process {self._process.pid} survives SIGKILL.", hint="See what it waits for.")

    async def _ended(self, patience_s: float) -> None:
        with anyio.move_on_after(patience_s):
            await self._process.wait()
