"""One running container as the core sees it: a byte stream with an identity, an exit status and last words.

The streams are those of `docker run`, which carries them in and out and ends with the program's own status.
"""

from __future__ import annotations

import os
from contextlib import suppress

import anyio
from anyio.abc import Process
from kiro_core import PipeStream
from kiro_core.types import Exit

from .calling import Docker
from .tail import Tail

_LAST_WORDS_S = 1.0
_KILLED_S = 10.0
_LOST = 125
"""The status of `docker run` where docker itself failed: at the start, or later, when it lost its container."""


class Container:
    """Implements `Process`; `supervise` runs beside its use, `end` is called once behind it.

    `silent` tells that nothing ever came from its stdout; `left` is what keeps the container there behind its end.
    """

    def __init__(self, name: str, docker: Docker, client: Process, stream: PipeStream, errors: int) -> None:
        """Take over the `docker run` that has just been started: its stdin and stdout, and our end of its stderr."""
        self.identity = f"container {name}"
        self.left = ""
        self.silent = True
        self._name = name
        self._docker = docker
        self._client = client
        self._stream = stream
        self._errors = errors
        self._tail = Tail(errors)
        self._exit: Exit | None = None
        self._ended = anyio.Event()
        self._supervision = anyio.CancelScope(shield=True)  # it has to see the end that `end` brings

    @property
    def exit(self) -> Exit | None:
        """See `Process.exit`."""
        return self._exit

    async def wait(self) -> Exit:
        """See `Process.wait`; then all that it wrote to stderr was read."""
        while self._exit is None:
            await self._ended.wait()
        return self._exit

    def stderr_tail(self) -> str:
        """See `Process.stderr_tail`; docker's own words are among them."""
        return self._tail.text()

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """See `Process.receive`."""
        chunk = await self._stream.receive(max_bytes)
        self.silent = False
        return chunk

    async def send(self, item: bytes) -> None:
        """See `Process.send`."""
        try:
            await self._stream.send(item)
        except anyio.ClosedResourceError as error:
            raise anyio.BrokenResourceError from error

    async def send_eof(self) -> None:
        """See `Process.send_eof`."""
        await self._stream.send_eof()

    async def supervise(self) -> None:
        """Drain its stderr, and take note of its end."""
        try:
            with self._supervision:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._tail.fill)
                    status = await self._client.wait()
                    # What docker has started beside itself may hold the stream open for longer.
                    tasks.cancel_scope.deadline = anyio.current_time() + _LAST_WORDS_S
                self._exit = _exit_of(status)
                self._ended.set()
        finally:
            os.close(self._errors)

    async def end(self, grace_s: float, *, listens: bool) -> None:
        """Go down the ladder: close stdin, wait, SIGTERM, wait, kill.

        Shielded, and bounded by twice the grace and the limits of docker's calls.
        """
        with anyio.CancelScope(shield=True):
            await self._stream.send_eof()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._discard)
                await self._descend(grace_s, listens=listens)
                tasks.cancel_scope.deadline = anyio.current_time() + _LAST_WORDS_S
            await self._stream.aclose()
            self._supervision.cancel()

    async def _descend(self, grace_s: float, *, listens: bool) -> None:
        if not (listens and await self._ends_within(grace_s)):
            await self._docker.call("kill", "--signal", "TERM", self._name)
            if not await self._ends_within(grace_s):
                await self._kill()
        status = self._client.returncode
        if status is None or status < 0 or status == _LOST:
            # `docker run` does not say what has become of its container.
            self.left = await self._docker.remove(self._name)

    async def _kill(self) -> None:
        await self._docker.remove(self._name)
        if not await self._ends_within(_KILLED_S):
            with suppress(ProcessLookupError):
                self._client.kill()
            await self._ends_within(_KILLED_S)

    async def _ends_within(self, seconds: float) -> bool:
        with anyio.move_on_after(seconds):
            await self._ended.wait()
        return self._exit is not None

    async def _discard(self) -> None:
        """Read what it still says: blocked on a full pipe, it would not see that its stdin ended."""
        with suppress(anyio.EndOfStream, anyio.BusyResourceError):
            while True:
                await self.receive()


def _exit_of(status: int) -> Exit:
    """Of a program that a signal ended, docker tells 128 and the signal's number; nothing tells 130 from SIGINT."""
    return Exit(128 - status if 128 < status <= 128 + 64 else status)
