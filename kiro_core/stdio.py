"""File descriptors as byte streams, and our own stdin and stdout as one of them.

Measured choices: pipes and terminals through readiness of a non-blocking descriptor of our own (a
slow reader of a *blocking* stdout would stall the loop); sockets without touching the flags that
they share with other processes; anything else (files, `/dev/null`) through a worker thread, one
call at a time.
"""

from __future__ import annotations

import os
import socket
import stat
import sys
from select import PIPE_BUF

import anyio
from anyio import to_thread

from kiro_core.pipes import Width, is_empty

_BROKEN = (BrokenPipeError, ConnectionResetError)


class PipeStream:
    """Two descriptors as one byte stream; it owns them and closes them.

    One task may receive and any number may send, in the order of their calls. A send is never torn:
    cancelled while another one writes, nothing of it goes out; cancelled in its own writing, its rest
    goes out in front of the next send.
    """

    def __init__(self, read_fd: int, write_fd: int) -> None:
        """Take over two descriptors that are non-blocking, sockets, or of a kind that never blocks for long."""
        self._reader = _Descriptor(read_fd)
        self._writer = _Descriptor(write_fd)
        self._sending = anyio.Lock(fast_acquire=True)
        self._rest = memoryview(b"")

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Wait for bytes.

        Raises:
            anyio.EndOfStream: the other side closed.
            anyio.ClosedResourceError: we closed.

        """
        chunk = await self._reader.read(max_bytes)
        if not chunk:
            raise anyio.EndOfStream
        return chunk

    async def send(self, item: bytes) -> None:
        """Write all of it; returning late is the back-pressure.

        Raises:
            anyio.BrokenResourceError: the other side does not read any more.
            anyio.ClosedResourceError: we closed.

        """
        async with self._sending:
            await self._flush()
            self._rest = memoryview(item)
            await self._flush()

    def offer(self, item: bytes) -> bool:
        """Write all of it if that takes no waiting, else nothing of it; whether it did.

        Only what a pipe takes whole is written so; what is wrong with the stream is `send`'s to tell.
        """
        if self._rest or self._sending.locked() or not (done := self._writer.offer(item)):
            return False
        self._rest = memoryview(item)[done:]  # something only where another program writes to the same pipe
        return True

    async def _flush(self) -> None:
        while self._rest:
            done = await self._writer.write(self._rest)
            self._rest = self._rest[done:]

    async def send_eof(self) -> None:
        """Close the writing side; a rest that could not be written is given up."""
        self._writer.close()

    async def aclose(self) -> None:
        """Close both sides; who waits on them gets `ClosedResourceError`."""
        self._writer.close()
        self._reader.close()


class _Descriptor:
    """One descriptor, read or written in the way that its kind allows."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        mode = os.fstat(fd).st_mode
        self._socket = socket.socket(fileno=fd) if stat.S_ISSOCK(mode) else None
        self._pipe = Width(fd) if stat.S_ISFIFO(mode) else None
        self._ready = self._socket is not None or self._pipe is not None or os.isatty(fd)

    async def read(self, max_bytes: int) -> bytes:
        if not self._ready:
            return await to_thread.run_sync(os.read, self._open(), max_bytes)
        if self._pipe is not None and max_bytes > self._pipe.bytes:
            self._pipe.grow(self._open(), max_bytes)
        while True:
            await anyio.wait_readable(self._open())
            try:
                fd = self._open()  # again: it may have been closed between the wake-up and now
                if self._socket is not None:
                    return self._socket.recv(max_bytes, socket.MSG_DONTWAIT)
                return os.read(fd, max_bytes)
            except BlockingIOError:
                continue
            except ConnectionResetError:
                return b""

    async def write(self, item: memoryview) -> int:
        try:
            if not self._ready:
                return await to_thread.run_sync(os.write, self._open(), item)
            while True:
                try:
                    fd = self._open()
                    if self._socket is not None:
                        return self._socket.send(item, socket.MSG_DONTWAIT)
                    return os.write(fd, item)
                except BlockingIOError:
                    await anyio.wait_writable(self._open())
        except _BROKEN as error:
            raise anyio.BrokenResourceError from error

    def offer(self, item: bytes) -> int:
        if self._fd < 0 or not self._takes(len(item)):
            return 0
        try:
            return os.write(self._fd, item)
        except OSError:  # whatever it is, who sends learns it
            return 0

    def _takes(self, size: int) -> bool:
        """Whether so much is written whole or not at all: a little to any pipe, more to an empty one that is wide."""
        if self._pipe is None or size <= PIPE_BUF:
            return self._pipe is not None
        try:
            return self._pipe.grow(self._fd, size) and is_empty(self._fd)
        except OSError:
            return False

    def _open(self) -> int:
        if self._fd < 0:
            raise anyio.ClosedResourceError
        return self._fd

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        if self._ready:
            anyio.notify_closing(fd)
        if self._socket is not None:
            self._socket.close()
        else:
            os.close(fd)


def claim_stdio() -> PipeStream:
    """Take stdin and stdout for a protocol: from now on `print` goes to stderr and stdin is empty.

    Also what C code or a child prints lands on stderr. Call it before anything else may print.
    """
    sys.stdout.flush()
    stream = PipeStream(_own(0, os.O_RDONLY), _own(1, os.O_WRONLY))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return stream


def _own(fd: int, flags: int) -> int:
    """A descriptor of our own for the same file: non-blocking flags are shared through `dup`, not through `open`.

    Where `open` refuses (the file belongs to another user, nobody is at the pipe's other end) or works
    like `dup` (macOS), the flag is set on what is shared: an event loop must not block.
    """
    if not (stat.S_ISFIFO(os.fstat(fd).st_mode) or os.isatty(fd)):
        return os.dup(fd)
    try:
        own = os.open(f"/dev/fd/{fd}", flags | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        own = os.dup(fd)
    os.set_blocking(own, False)
    return own
