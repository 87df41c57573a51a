"""One host on a byte stream, a line a message: read without a thread, which a silent host would hold at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server import Server
from mcp.shared.message import SessionMessage
from mcp_types import JSONRPCError

from kiro_core.errors import unwrapped
from kiro_core.ports import ByteStream
from kiro_mcp.lines import Lines
from kiro_mcp.reading import read_line

_LONGEST_LINE = 16 * 1024 * 1024
_LAST_WORDS_S = 2.0

_Incoming = SessionMessage | Exception


async def converse(server: Server[Any], stream: ByteStream) -> None:
    """Serve the host at the other end until it hangs up, in the era of the protocol that it speaks; closes the stream.

    Raises:
        KiroError: the service could not be opened.

    """
    incoming, inbox = anyio.create_memory_object_stream[_Incoming](0)
    outbox, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        with unwrapped():
            async with incoming, inbox, outbox, outgoing, anyio.create_task_group() as tasks:
                tasks.start_soon(_read, stream, incoming, outbox.clone())
                # Shielded: the server answers calls that run when this is cancelled.
                writing = anyio.CancelScope(shield=True)
                tasks.start_soon(_write, stream, outgoing, writing, tasks.cancel_scope.cancel)
                try:
                    await server.run(inbox, outbox, server.create_initialization_options())
                finally:
                    outbox.close()
                    writing.deadline = anyio.current_time() + _LAST_WORDS_S
    finally:
        await stream.aclose()


async def _read(
    stream: ByteStream, incoming: MemoryObjectSendStream[_Incoming], answers: MemoryObjectSendStream[SessionMessage]
) -> None:
    """Pass messages on, and answer what is none: the SDK leaves that out, and a host would wait for ever."""
    lines = Lines(_LONGEST_LINE)
    async with incoming, answers:
        ended = False
        while not ended:
            try:
                chunk = await stream.receive()
            except (anyio.EndOfStream, anyio.ClosedResourceError):
                chunk, ended = b"\n", True
            for line in lines.fed(chunk):
                read = read_line(line)
                if isinstance(read, JSONRPCError):
                    await answers.send(SessionMessage(read))
                elif read is not None:
                    await incoming.send(read)


async def _write(
    stream: ByteStream,
    outgoing: MemoryObjectReceiveStream[SessionMessage],
    writing: anyio.CancelScope,
    hung_up: Callable[[], None],
) -> None:
    try:
        with writing:
            async for message in outgoing:
                await stream.send(message.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        hung_up()
