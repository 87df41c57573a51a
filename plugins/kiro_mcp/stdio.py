"""One host on a byte stream, a line a message: read without a thread, which a silent host would hold at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server import Server
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError

from kiro_core import PipeStream
from kiro_core.errors import unwrapped

_LONGEST_LINE = 16 * 1024 * 1024
_LAST_WORDS_S = 2.0

_Incoming = SessionMessage | Exception


async def converse(server: Server[Any], stream: PipeStream) -> None:
    """Serve the host at the other end until it hangs up, in the era of the protocol that it speaks; closes the stream.

    Raises:
        KiroError: the service could not be opened.

    """
    incoming, inbox = anyio.create_memory_object_stream[_Incoming](0)
    outbox, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        with unwrapped():
            async with incoming, inbox, outbox, outgoing, anyio.create_task_group() as tasks:
                tasks.start_soon(_read, stream, incoming)
                tasks.start_soon(_write, stream, outgoing, tasks.cancel_scope.cancel)
                await server.run(inbox, outbox, server.create_initialization_options())
                tasks.cancel_scope.deadline = anyio.current_time() + _LAST_WORDS_S
    finally:
        await stream.aclose()


async def _read(stream: PipeStream, incoming: MemoryObjectSendStream[_Incoming]) -> None:
    lines = Lines(_LONGEST_LINE)
    async with incoming:
        try:
            while True:
                for line in lines.fed(await stream.receive()):
                    await incoming.send(_message(line))
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            for line in lines.fed(b"\n"):
                await incoming.send(_message(line))


def _message(line: bytes | ValueError) -> _Incoming:
    """What the SDK's own transport makes of a line: what is no message goes in as an error, which it logs."""
    if isinstance(line, ValueError):
        return line
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValidationError as error:
        return error


async def _write(
    stream: PipeStream, outgoing: MemoryObjectReceiveStream[SessionMessage], hung_up: Callable[[], None]
) -> None:
    try:
        async for message in outgoing:
            await stream.send(message.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        hung_up()


class Lines:
    """Cuts a stream of bytes into lines, blank ones left out; of one that is too long it keeps nothing."""

    def __init__(self, longest: int) -> None:
        """Take lines of at most `longest` bytes."""
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0

    def fed(self, chunk: bytes) -> Iterator[bytes | ValueError]:
        """The lines that end in this chunk, and an error for each that was too long."""
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            self._keep(end)
            size, line = self._size, b"".join(self._parts)
            self._parts.clear()
            self._size = 0
            if size > self._longest:
                yield ValueError(f"a line of {size} bytes is longer than {self._longest}")
            elif line.strip():
                yield line
        self._keep(rest)

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._longest:
            self._parts.clear()
        else:
            self._parts.append(part)
