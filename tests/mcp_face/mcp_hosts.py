"""Hosts: the SDK's own client, with the verbs of these tests as short calls, and one that writes its own lines."""

import json
import os
import sys
from contextlib import asynccontextmanager

import anyio

from kiro_core import PipeStream
from kiro_mcp.service.failing import CODES
from kiro_mcp.stdio import converse

REHEARSAL = [sys.executable, "-P", "-m", "kiro_core.rehearsal"]
BOUND_S = 60
ERAS = ["legacy", "2026-07-28"]


class Host:
    """One host; `desk` is what is behind its server, and `progress` what it was told meanwhile."""

    def __init__(self, client, desk=None):
        self.client, self.desk = client, desk
        self.progress = []

    async def raw(self, tool, /, **arguments):
        return await self.client.call_tool(tool, arguments, progress_callback=self._told)

    async def call(self, tool, /, **arguments):
        """What a tool answers: the same object as structure and as text."""
        result = await self.raw(tool, **arguments)
        assert not result.is_error, result.structured_content
        return same(result)

    async def fails(self, tool, /, **arguments):
        """How a call fails."""
        result = await self.raw(tool, **arguments)
        assert result.is_error, result.structured_content
        told = same(result)
        assert set(told) == {"code", "message", "details", "hint"}
        assert told["code"] in CODES
        assert told["message"]
        return told

    async def resource(self, uri):
        [content] = (await self.client.read_resource(uri)).contents
        assert content.mime_type == "application/json"
        return json.loads(content.text)

    async def finished(self, task):
        """Follow a task to its end, by long polls; all states that were told."""
        states, index = [], 0
        while not states or not states[-1]["is_done"]:
            state = await self.call("kiro_task_status", task_id=task, from_chunk_index=index, wait_s=20)
            index = state["last_chunk_index"] + 1
            states.append(state)
        return states

    async def _told(self, progress, total, message):
        self.progress.append((progress, message))


def same(result):
    [text] = result.content
    told = json.loads(text.text)
    assert isinstance(told, dict)
    assert told == result.structured_content
    return told


class LineHost:
    """A host that speaks for itself: whole lines out and in."""

    def __init__(self, read_fd, write_fd):
        self._stream = PipeStream(read_fd, write_fd)
        self._rest = b""
        self.close = self._stream.aclose

    async def send(self, *messages):
        await self._stream.send(b"".join(json.dumps({"jsonrpc": "2.0", **one}).encode() + b"\n" for one in messages))

    async def send_raw(self, raw):
        await self._stream.send(raw)

    async def hang_up(self):
        await self._stream.send_eof()

    async def line(self):
        while b"\n" not in self._rest:
            self._rest += await self._stream.receive()
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    async def ask(self, number, method, **params):
        await self.send({"id": number, "method": method, "params": params})
        while (answer := await self.line()).get("id") != number:
            pass
        return answer

    async def initialize(self, version="2025-06-18", **capabilities):
        about = {"name": "host", "version": "1"}
        await self.ask(0, "initialize", protocolVersion=version, capabilities=capabilities, clientInfo=about)
        await self.send({"method": "notifications/initialized"})


@asynccontextmanager
async def conversing(server):
    """A host that is served over pipes, and an event that is set when the conversation has ended."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    for fd in (theirs_in, ours_out, ours_in, theirs_out):
        os.set_blocking(fd, False)
    over = anyio.Event()

    async def run():
        await converse(server, PipeStream(ours_in, ours_out))
        over.set()

    host = LineHost(theirs_in, theirs_out)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
            try:
                yield host, over
            finally:
                await host.close()
                await over.wait()
