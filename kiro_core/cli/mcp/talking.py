"""Reaches one MCP server for the SDK: a process of our own launcher by its pipes, any other by its address."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio
import httpx2
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from kiro_core.frames import Splitter
from kiro_core.ports import Process

_Incoming = MemoryObjectReceiveStream[SessionMessage | Exception]
_Outgoing = MemoryObjectSendStream[SessionMessage]


@asynccontextmanager
async def piped(process: Process) -> AsyncGenerator[tuple[_Incoming, _Outgoing], None]:
    """The two streams of a process that speaks MCP on stdin and stdout (MCP, "Transports", stdio: a line a message)."""
    said, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    outgoing, asked = anyio.create_memory_object_stream[SessionMessage](0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_listen, process, said)
        tasks.start_soon(_speak, process, asked)
        async with incoming, outgoing:
            yield incoming, outgoing
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def reached(
    entry: Mapping[str, Any], timeout_s: float, statuses: list[int]
) -> AsyncGenerator[tuple[Any, Any], None]:
    """The two streams of a server with an address, given as the entry that ACP carries.

    `statuses` collects the HTTP status of each answer to a message, of which the SDK tells nothing.
    """
    is_sse = entry["type"] == "sse"

    async def note(response: httpx2.Response) -> None:
        # A server need not offer the stream that the other transport opens beside its messages.
        if is_sse or response.request.method == "POST":
            statuses.append(response.status_code)

    def client(
        headers: dict[str, str] | None = None, timeout: httpx2.Timeout | None = None, auth: httpx2.Auth | None = None
    ) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(headers=headers, timeout=timeout, auth=auth, event_hooks={"response": [note]})

    headers = {one["name"]: one["value"] for one in entry["headers"]}
    if is_sse:
        async with sse_client(entry["url"], headers, timeout=timeout_s, httpx_client_factory=client) as streams:
            yield streams
        return
    async with client(headers, httpx2.Timeout(timeout_s)) as http_client:
        streaming: AbstractAsyncContextManager[Any] = streamable_http_client(entry["url"], http_client=http_client)
        async with streaming as streams:
            yield streams


async def _listen(process: Process, said: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
    """Pass its lines on until it closes its stdout; a server may print other things, which are no messages."""
    splitter = Splitter()
    async with said:
        while True:
            try:
                block = splitter.feed(await process.receive())
            except anyio.EndOfStream:
                return
            for line in block.splitlines():
                try:
                    message = SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
                except ValueError:
                    continue
                await said.send(message)


async def _speak(process: Process, asked: MemoryObjectReceiveStream[SessionMessage]) -> None:
    async with asked:
        async for each in asked:
            line = each.message.model_dump_json(by_alias=True, exclude_unset=True)
            try:
                await process.send(line.encode() + b"\n")
            except anyio.BrokenResourceError:
                return  # its stdout has ended as well, or will
