"""A host at the other end of a stream: lines as they come, in either era, until it hangs up."""

import json
from contextlib import asynccontextmanager

import anyio
import pytest
from mcp.server import Server
from mcp_hosts import conversing
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool

from kiro_mcp import build_server, stdio
from kiro_mcp.lines import Lines, Overlong
from kiro_mcp.options import McpOptions

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


CALL = b'{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": %s}'


@pytest.mark.parametrize(
    ("raw", "number", "code", "said"),
    [
        (b"no json", None, -32700, "no JSON"),
        (b"\xff\xfe", None, -32700, "no JSON"),
        (b"[" * 100_000, None, -32700, "no JSON"),
        (b"5", None, -32600, "JSON object"),
        (b"[]", None, -32600, "no batches"),
        (b'[{"jsonrpc": "2.0", "id": 1, "method": "ping"}]', None, -32600, "no batches"),
        (b'{"jsonrpc": "2.0"}', None, -32600, "`method`"),
        (b'{"id": 1, "method": "ping"}', 1, -32600, '"jsonrpc": "2.0"'),
        (b'{"jsonrpc": "1.0", "id": "a", "method": "ping"}', "a", -32600, '"jsonrpc": "2.0"'),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 5}', 1, -32600, "`method`"),
        (b'{"jsonrpc": "2.0", "id": null, "method": "ping"}', None, -32600, "`id`"),
        (b'{"jsonrpc": "2.0", "id": true, "method": "ping"}', None, -32600, "`id`"),
        (b'{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}', None, -32600, "`id`"),
        (CALL % b"[]", 7, -32602, "`params` of tools/call have to be an object, and are an array."),
        (CALL % b'"x"', 7, -32602, "are text"),
        (CALL % b"false", 7, -32602, "are true or false"),
    ],
)
async def test_a_line_that_is_no_request_is_answered_with_what_is_wrong(raw, number, code, said):
    async with conversation() as (host, _):
        await host.initialize()
        await host.send_raw(raw + b"\n")
        answer = await host.line()
        assert (answer["id"], answer["error"]["code"]) == (number, code)
        assert said in answer["error"]["message"]
        assert "result" in await host.ask(8, "tools/list")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b'{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": []}',
        b'{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3, "reason": "\\"id\\""}}',
        b'{"jsonrpc": "2.0", "id": 3, "result": []}',
        b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "no"}}',
    ],
)
async def test_what_is_no_request_has_no_answer(raw):
    async with conversation() as (host, _):
        await host.initialize()
        await host.send_raw(raw + b"\n")
        await host.send({"id": 4, "method": "ping"})
        assert (await host.line())["id"] == 4


async def test_what_is_no_text_is_served_with_a_character_in_its_place():
    async with conversation() as (host, _):
        await host.initialize()
        halves = rb"\ud83e\udd51 \ud83e. \udd51 \\ud83e \ud83e\ud83e\udd51"
        for said, heard in ((halves, "\U0001f951 \ufffd. \ufffd \\ud83e \ufffd\U0001f951"), (b"\xe2\x82", "\ufffd")):
            await host.send_raw(CALL % b'{"name": "echo", "arguments": {"said": "%s"}}' % said + b"\n")
            answer = await host.line()
            assert json.loads(answer["result"]["content"][0]["text"]) == {"said": heard}


LONG = b"x" * 100_000


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        (b'{"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"id": 6, "said": "%s"}}', 5),
        (b'{"method":"tools/call","id":"five","jsonrpc":"2.0","params":{"said":"%s"}}', "five"),
        (b'{"method":"tools/call","params":{"said":"%s"},"jsonrpc":"2.0","id":5}', 5),
        (b'{"params":{"said":"%s"},"id":"\\ud83e","method":"tools/call","jsonrpc":"2.0"} ', "\ufffd"),
        (b'{"method":"tools/call","params":{"said":"%s","id":5}}', None),
        (b'{"method":"tools/call","params":{"said":"%s\\",\\"id\\":5}"}}', None),
        (b"%s", None),
    ],
)
async def test_a_line_that_is_too_long_is_never_kept_and_its_request_is_refused(raw, number, monkeypatch, caplog):
    monkeypatch.setattr(stdio, "_LONGEST_LINE", 4096)
    async with conversation() as (host, _):
        await host.initialize()
        await host.send_raw(raw % LONG + b"\n")
        answer = await host.line()
        assert (answer["id"], answer["error"]["code"]) == (number, -32600)
        assert f"A line of {len(raw % LONG)} bytes" in answer["error"]["message"]
        assert "4096" in answer["error"]["message"]
        assert "result" in await host.ask(8, "tools/list")
    assert [record.levelname for record in caplog.records if "A line of" in record.getMessage()] == ["WARNING"]


async def test_an_answer_of_the_host_that_is_too_long_is_answered_with_none(monkeypatch):
    monkeypatch.setattr(stdio, "_LONGEST_LINE", 4096)
    async with conversation() as (host, _):
        await host.initialize()
        await host.send_raw(b'{"jsonrpc": "2.0", "id": 1, "result": {"said": "%s"}}\n' % LONG)
        await host.send({"id": 4, "method": "ping"})
        assert (await host.line())["id"] == 4


@pytest.fixture
def ours(opened_desk, folder):
    """A host of the whole server."""

    @asynccontextmanager
    async def opened():
        async with (
            opened_desk() as desk,
            conversing(build_server(desk, McpOptions(working_directory=str(folder)))) as (host, _),
        ):
            yield host

    return opened


async def test_params_that_are_not_good_are_named(ours):
    async with ours() as host:
        await host.initialize()
        for method, params, said in (
            ("tools/call", {}, "tools/call needs `params.name`."),
            ("tools/call", {"name": "kiro_pool_stats", "arguments": []}, "`params.arguments` is not good"),
            ("resources/read", {"uri": 5}, "`params.uri` is not good: input should be a valid string."),
        ):
            error = (await host.ask(1, method, **params))["error"]
            assert error["code"] == -32602
            assert said in error["message"]


async def test_only_what_is_told_of_is_announced(ours):
    async with ours() as host:
        told = await host.ask(1, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=ABOUT)
        assert changes(told) == {"resources": (True, False), "prompts": (False, False), "tools": (False, False)}
    async with ours() as host:
        told = await host.ask(1, "server/discover", _meta=ENVELOPE)
        assert changes(told) == {"resources": (True, True), "prompts": (False, False), "tools": (False, False)}


ABOUT = {"name": "host", "version": "1"}


def changes(told):
    """Whether one may subscribe to what there is, and is told of changes of the list."""
    capabilities = told["result"]["capabilities"]
    return {
        name: (capabilities[name].get("subscribe", False), capabilities[name].get("listChanged", False))
        for name in ("resources", "prompts", "tools")
    }


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
    assert found[3:] == [Overlong(51, 50, b"y" * 51, b"y" * 51), b"last"]


@pytest.mark.parametrize("size", [1, 999, 100_000])
def test_of_a_line_that_is_too_long_both_ends_are_kept(size):
    raw = b"begin" + LONG + b"end\nnext\n"
    lines = Lines(9000)
    line, behind = [line for at in range(0, len(raw), size) for line in lines.fed(raw[at : at + size])]
    assert (line.size, line.longest, behind) == (100_008, 9000, b"next")
    assert line.head.startswith(b"beginx")
    assert line.tail.endswith(b"xend")
    assert len(line.head) == len(line.tail) == 4096
