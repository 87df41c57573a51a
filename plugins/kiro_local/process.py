"""One running child as the core sees it: a byte stream with an identity, an exit status and a last word."""

from __future__ import annotations

import logging
import os
import signal
from contextlib import suppress

import anyio

from kiro_core import PipeStream
from kiro_core.types import Exit
from kiro_local.ending import signal_group
from kiro_local.start import Child
from kiro_local.tail import Tail

KILL_S = 10.0
"""How long a killed process may take; only one that hangs inside the kernel takes longer."""

_log = logging.getLogger(__name__)


class LocalProcess:
    """A child and its group; `supervise` runs beside its use, `end` is called once behind it."""

    def __init__(self, child: Child) -> None:
        """Take over a child and its descriptors."""
        self._child = child
        self._pipes = PipeStream(child.stdout, child.stdin)
        self._tail = Tail(child.stderr)
        self._exit: Exit | None = None
        self._ended = anyio.Event()
        self._supervision = anyio.CancelScope(shield=True)  # it must see the end that the ladder brings

    @property
    def identity(self) -> str:
        """The pid, for people and receipts."""
        return f"pid {self._child.popen.pid}"

    @property
    def exit(self) -> Exit | None:
        """How the child ended, or None while it runs."""
        return self._exit

    async def wait(self) -> Exit:
        """Wait for its end; then all that it wrote to stderr was read."""
        while self._exit is None:
            await self._ended.wait()
        return self._exit

    def stderr_tail(self) -> str:
        """The last lines of its stderr, without escape codes (see `Tail` for the bounds)."""
        return self._tail.text()

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Read from its stdout.

        Raises:
            anyio.EndOfStream: it closed its stdout, and so did all that inherited it.

        """
        return await self._pipes.receive(max_bytes)

    async def send(self, item: bytes) -> None:
        """Write to its stdin, never torn (see `PipeStream`).

        Raises:
            anyio.BrokenResourceError: it closed its stdin.

        """
        await self._pipes.send(item)

    def offer(self, item: bytes) -> bool:
        """The same if that takes no waiting (see `PipeStream.offer`)."""
        return self._pipes.offer(item)

    async def send_eof(self) -> None:
        """Close its stdin, once or again."""
        await self._pipes.send_eof()

    async def supervise(self) -> None:
        """Drain its stderr until it ends, then end the rest of its group."""
        try:
            with self._supervision:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._tail.fill)
                    await anyio.wait_readable(self._child.ending)
                    self._collect()
                    tasks.cancel_scope.cancel()
        finally:
            os.close(self._child.ending)
            os.close(self._child.stderr)

    async def end(self, grace_s: float) -> None:
        """Go down the ladder: close stdin, wait, terminate the group, wait, kill the group, wait.

        Shielded, and bounded by the grace plus `KILL_S`. For one that does not listen the end of
        stdin is no news, so nothing is waited for. One that is still there has no `exit`.
        """
        with anyio.CancelScope(shield=True):
            await self._pipes.send_eof()
            if self._exit is None:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._discard)
                    await self._descend(grace_s)
                    tasks.cancel_scope.cancel()
            await self._pipes.aclose()
            self._supervision.cancel()

    async def _descend(self, grace_s: float) -> None:
        until_heard_s = grace_s / 5 if self._child.listens else 0
        until_killed_s = grace_s - until_heard_s
        for number, patience_s in ((None, until_heard_s), (signal.SIGTERM, until_killed_s), (signal.SIGKILL, KILL_S)):
            if number is not None:
                signal_group(self._child.popen, number)
            with anyio.move_on_after(patience_s):
                await self.wait()
                return
        _log.warning("%s was killed and has not ended after %g s.", self.identity, KILL_S)

    async def _discard(self) -> None:
        """Read what it still says: blocked on a full pipe, it would not see that its stdin ended."""
        with suppress(anyio.EndOfStream, anyio.BusyResourceError):
            while True:
                await self._pipes.receive()

    def reap(self) -> None:
        """Take note of an end that came when nobody waited any more."""
        if self._exit is None and (code := self._child.popen.poll()) is not None:
            self._exit = Exit(code)

    def _collect(self) -> None:
        """It has ended and is not reaped, so its pid still names its group: kill the rest, then reap."""
        signal_group(self._child.popen, signal.SIGKILL)
        code = self._child.popen.wait()
        self._tail.catch_up()
        self._exit = Exit(code)
        self._ended.set()
