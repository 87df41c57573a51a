"""A host at the other end of a stream: lines as they come, in either era, until it hangs up."""

import json

import anyio
import pytest
from mcp.server import Server
from mcp_hosts import conversing
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool

from kiro_mcp import stdio
from kiro_mcp.stdio import Lines

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


def server(ended):
    """It repeats what it is told, or waits for ever; `ended` has what was cancelled."""

    async def listed(ctx, params):
        return ListToolsResult(tools=[Tool(name="echo", input_schema={"type": "object"})])

    async def called(ctx, params):
        if params.name == "hang":
            try:
                await anyio.sleep_forever()
            finally:
                ended.append("hang")
        return CallToolResult(content=[TextContent(text=json.dumps(params.arguments))])

    return Server("echo", on_list_tools=listed, on_call_tool=called)


def conversation(ended=None):
    return conversing(server([] if ended is None else ended))


async def test_a_host_of_the_handshake_era_is_served():
    async with conversation() as (host, _):
        await host.initialize()
        answer = await host.ask(1, "tools/call", name="echo", arguments={"said": "Grüße"})
        assert json.loads(answer["result"]["content"][0]["text"]) == {"said": "Grüße"}


async def test_a_host_without_a_handshake_is_served():
    async with conversation() as (host, _):
        answer = await host.ask(1, "tools/list", _meta=ENVELOPE)
        assert [tool["name"] for tool in answer["result"]["tools"]] == ["echo"]


@pytest.mark.parametrize(
    "raw", [b"no json\n", b"\xff\xfe\n", b"\n\n", b'{"jsonrpc": "2.0"}\n', b"[]\n", b'{"id": 1}\n']
)
async def test_a_line_that_is_no_message_ends_nothing(raw):
    async with conversation() as (host, _):
        await host.send_raw(raw)
        await host.initialize()
        assert "result" in await host.ask(1, "tools/list")


async def test_a_line_that_is_too_long_is_left_out_and_never_kept(monkeypatch):
    monkeypatch.setattr(stdio, "_LONGEST_LINE", 4096)
    async with conversation() as (host, _):
        await host.initialize()
        await host.send_raw(b'{"jsonrpc": "2.0", "id": 1, "method": "' + b"x" * 100_000 + b'"}\n')
        assert "result" in await host.ask(2, "tools/list")


async def test_the_last_line_needs_no_newline():
    ended = []
    async with conversation(ended) as (host, over):
        await host.initialize()
        request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "hang"}}
        await host.send_raw(json.dumps(request).encode())
        await host.hang_up()
        await over.wait()
    assert ended == ["hang"]


async def test_what_runs_is_cancelled_when_the_host_cancels_it_and_when_it_hangs_up():
    ended = []
    async with conversation(ended) as (host, over):
        await host.initialize()
        await host.send({"id": 1, "method": "tools/call", "params": {"name": "hang"}})
        await host.ask(2, "tools/list")
        await host.send({"method": "notifications/cancelled", "params": {"requestId": 1}})
        await host.ask(3, "tools/list")
        assert ended == ["hang"]
        await host.send({"id": 4, "method": "tools/call", "params": {"name": "hang"}})
        await host.ask(5, "tools/list")
        await host.hang_up()
        await over.wait()
    assert ended == ["hang", "hang"]


async def test_a_host_that_reads_nothing_holds_nobody_at_its_end():
    async with conversation() as (host, over):
        await host.initialize()
        much = {"said": "x" * 60_000}
        requests = [{"id": n, "method": "tools/call", "params": {"name": "echo", "arguments": much}} for n in range(9)]
        await host.send(*requests)
        await host.hang_up()
        await over.wait()


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_lines_are_the_same_however_they_are_cut(size):
    raw = b"one\ntwo\n\n" + b"x" * 50 + b"\n" + b"y" * 51 + b"\nlast"
    lines = Lines(50)
    found = [line for at in range(0, len(raw), size) for line in lines.fed(raw[at : at + size])]
    found += lines.fed(b"\n")
    assert found[:3] == [b"one", b"two", b"x" * 50]
    assert isinstance(found[3], ValueError)
    assert "51 bytes" in str(found[3])
    assert found[4:] == [b"last"]
