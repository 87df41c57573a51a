"""HTTP as it arrives: who has no token, no good `Host` or no patience gets no further."""

import json
import socket
from contextlib import asynccontextmanager, suppress

import anyio
import h11
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server import Server
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_types import CallToolResult, ListToolsResult, TextContent, Tool

from kiro_core.errors import PluginError, SettingsError, unwrapped
from kiro_mcp import gate, strangers
from kiro_mcp.face import HttpFace
from kiro_mcp.http import serve_http
from kiro_mcp.options import McpOptions

TOKEN = "a-token-for-all-these-tests"
MEDIA = [("Accept", "application/json, text/event-stream"), ("Content-Type", "application/json")]
ALLOWED = [*MEDIA, ("Authorization", f"Bearer {TOKEN}")]
DISCOVER = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "server/discover",
    "params": {
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    },
}
MODERN = [("Mcp-Protocol-Version", "2026-07-28"), ("Mcp-Method", "server/discover")]


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Echo:
    """A server with one tool, and whether a call of it hangs now."""

    def __init__(self):
        self.hanging = anyio.Event()
        self.cancelled = anyio.Event()
        self.server = Server("echo", on_list_tools=self.listed, on_call_tool=self.called)

    async def listed(self, ctx, params):
        return ListToolsResult(tools=[Tool(name="echo", input_schema={"type": "object"})])

    async def called(self, ctx, params):
        if params.name == "hang":
            self.hanging.set()
            try:
                await anyio.sleep_forever()
            finally:
                self.cancelled.set()
        return CallToolResult(content=[TextContent(text="echo")])


@asynccontextmanager
async def serving(echo=None, **options):
    """Serve at a free port; yields the URL."""
    server = (echo or Echo()).server
    with anyio.fail_after(30), unwrapped():
        async with anyio.create_task_group() as tasks:

            async def serve(*, task_status):
                await serve_http(server, McpOptions(**{"port": 0, **options}), TOKEN, task_status=task_status)

            yield await tasks.start(serve)
            tasks.cancel_scope.cancel()


def port_of(url):
    return int(url.rpartition(":")[2].partition("/")[0])


async def ask(url, *, method="POST", target="/mcp", headers=(), body=b"", host=None):
    """Status, headers and body of one answer, over a connection of its own."""
    client = h11.Connection(h11.CLIENT)
    named = [("Host", host or f"127.0.0.1:{port_of(url)}"), ("Content-Length", str(len(body))), *headers]
    request = client.send(h11.Request(method=method, target=target, headers=named)) + client.send(h11.Data(body))
    async with await anyio.connect_tcp("127.0.0.1", port_of(url)) as stream:
        await stream.send(request + client.send(h11.EndOfMessage()))
        found, said = None, b""
        while not isinstance(event := client.next_event(), (h11.EndOfMessage, h11.ConnectionClosed)):
            if event is h11.NEED_DATA:
                try:
                    client.receive_data(await stream.receive())
                except anyio.EndOfStream:
                    client.receive_data(b"")
            elif isinstance(event, h11.Response):
                found = event
            elif isinstance(event, h11.Data):
                said += event.data
    return found.status_code, dict(found.headers), said


@asynccontextmanager
async def client(url, mode):
    async with (
        create_mcp_http_client(headers={"Authorization": f"Bearer {TOKEN}"}) as web,
        Client(streamable_http_client(url, http_client=web), mode=mode) as found,
    ):
        yield found


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_who_has_the_token_is_served_in_either_era(mode):
    async with serving() as url, client(url, mode) as host:
        assert (await host.call_tool("echo", {})).content[0].text == "echo"


async def test_who_has_no_token_gets_no_further():
    async with serving() as url:
        body = json.dumps(DISCOVER).encode()
        status, headers, said = await ask(url, headers=[*MEDIA, *MODERN], body=body)
        assert status == 401
        assert headers[b"www-authenticate"] == b'Bearer realm="kiro-core"'
        assert json.loads(said)["error"] == "unauthorized"
        for wrong in (f"Bearer {TOKEN}x", "Bearer", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN} x", "Bearer Schlüssel"):
            given = [*MEDIA, *MODERN, ("Authorization", wrong.encode("latin-1"))]
            status, headers, said = await ask(url, headers=given, body=body)
            assert status == 401
            assert b'error="invalid_token"' in headers[b"www-authenticate"]
            assert TOKEN.encode() not in said
        for right in (f"Bearer {TOKEN}", f"bearer  {TOKEN}"):
            given = [*MEDIA, *MODERN, ("Authorization", right)]
            assert (await ask(url, headers=given, body=body))[0] == 200


async def test_a_page_of_another_site_gets_no_further():
    async with serving(allowed_hosts=["mcp.example.com"]) as url:
        body = json.dumps(DISCOVER).encode()

        async def status(**more):
            origin = [("Origin", more.pop("origin"))] if "origin" in more else []
            return (await ask(url, headers=[*ALLOWED, *MODERN, *origin], body=body, **more))[0]

        port = port_of(url)
        for host in (f"localhost:{port}", f"[::1]:{port}", "mcp.example.com"):
            assert await status(host=host) == 200
        for host in ("localhost", f"localhost:{port + 1}", f"evil.example:{port}", f"127.0.0.1:{port}.evil.example"):
            assert await status(host=host) == 421
        for origin in (f"http://127.0.0.1:{port}", f"http://localhost:{port}", "https://mcp.example.com"):
            assert await status(origin=origin) == 200
        for origin in ("https://evil.example", f"http://evil.example:{port}", "null", "http://localhost"):
            assert await status(origin=origin) == 403


async def test_there_is_one_path():
    async with serving() as url:
        for target in ("/", "/mcp/", "/mcp/x", "/.well-known/oauth-protected-resource", "//mcp"):
            assert (await ask(url, headers=ALLOWED, target=target, method="GET"))[0] == 404


async def test_a_request_is_bounded(monkeypatch):
    monkeypatch.setattr(gate, "_BODY_S", 0.1)
    monkeypatch.setattr(strangers, "_HEAD_S", 0.1)
    async with serving() as url:
        assert (await ask(url, headers=[*ALLOWED, ("X-Long", "x" * 20_000)]))[0] == 400
        async with await anyio.connect_tcp("127.0.0.1", port_of(url)) as silent:
            with pytest.raises(anyio.EndOfStream):
                await silent.receive()
        async with await anyio.connect_tcp("127.0.0.1", port_of(url)) as slow:
            head = f"POST /mcp HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nAuthorization: Bearer {TOKEN}\r\n\r\nhalf"
            await slow.send(head.encode())
            assert (await slow.receive()).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize("more", [1, 8 * gate.LARGEST_BODY])
async def test_a_body_that_is_too_large_is_answered_however_large(more):
    async with serving() as url:
        status, headers, said = await ask(url, headers=ALLOWED, body=b"x" * (gate.LARGEST_BODY + more))
        assert (status, headers[b"content-type"]) == (413, b"application/json")
        assert json.loads(said) == {"error": "Request Entity Too Large"}


@asynccontextmanager
async def connected(url):
    async with await anyio.connect_tcp("127.0.0.1", port_of(url)) as stream:
        yield stream


def request(url):
    """A good request as it is sent."""
    body = json.dumps(DISCOVER).encode()
    named = [("Host", f"127.0.0.1:{port_of(url)}"), ("Content-Length", str(len(body))), *ALLOWED, *MODERN]
    head = "".join(f"{name}: {value}\r\n" for name, value in named)
    return f"POST /mcp HTTP/1.1\r\n{head}\r\n".encode() + body


async def test_a_head_that_does_not_end_is_not_waited_for_in_a_later_request_either(monkeypatch):
    monkeypatch.setattr(strangers, "_HEAD_S", 0.5)
    async with serving() as url, connected(url) as stream:
        await stream.send(request(url))
        assert b"200 OK" in await stream.receive()
        await stream.send(b"POST /mcp HT")
        async for _ in stream:  # until it is hung up
            pass


async def test_who_shows_no_token_keeps_nobody_out(monkeypatch):
    monkeypatch.setattr(strangers, "_MOST", 2)
    monkeypatch.setattr(strangers, "_HEAD_S", 600)
    async with serving() as url, connected(url) as known, connected(url) as first:
        await known.send(request(url))
        assert b"200 OK" in await known.receive()
        async with connected(url), connected(url):
            with pytest.raises(anyio.EndOfStream):
                await first.receive()
            await known.send(request(url))
            while b"200 OK" not in await known.receive():
                pass


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_its_end_is_bounded_whatever_hosts_wait_for(mode):
    echo = Echo()
    with anyio.fail_after(20):
        async with anyio.create_task_group() as hosts:
            async with serving(echo) as url:

                async def hang():
                    with suppress(Exception):  # however the SDK's client tells that its server has gone
                        async with client(url, mode) as host:
                            await host.call_tool("hang", {})

                hosts.start_soon(hang)
                await echo.hanging.wait()
            await echo.cancelled.wait()
            hosts.cancel_scope.cancel()
        with pytest.raises(OSError, match="connect"):
            await anyio.connect_tcp("127.0.0.1", port_of(url))


async def test_a_place_that_is_taken_is_told():
    other = socket.create_server(("127.0.0.1", 0))
    with other, pytest.raises(SettingsError, match="Nobody can listen") as refused:
        async with serving(port=other.getsockname()[1]):
            pass
    assert refused.value.hint


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"host": "0.0.0.0"}, "read on the way"),
        ({"host": "0.0.0.0", "allowed_hosts": ["mcp.example.com"]}, "read on the way"),
        ({"host": "0.0.0.0", "behind_tls_proxy": True}, "answer nobody"),
        ({"host": "nobody.invalid"}, "Nobody can listen"),
    ],
)
async def test_beyond_this_machine_it_listens_only_behind_tls(options, said):
    with pytest.raises(SettingsError, match=said) as refused:
        async with serving(**options):
            pass
    assert refused.value.hint


async def test_behind_tls_it_answers_to_the_name_that_clients_know():
    options = {"host": "0.0.0.0", "behind_tls_proxy": True, "allowed_hosts": ["mcp.example.com"]}
    async with serving(**options) as url:
        asked = {"headers": [*ALLOWED, *MODERN], "body": json.dumps(DISCOVER).encode()}
        assert (await ask(url, host="mcp.example.com", **asked))[0] == 200


async def test_a_token_that_others_can_read_is_no_reason_to_listen(tmp_path):
    bad = tmp_path / "token"
    bad.write_text(TOKEN)
    bad.chmod(0o644)
    with pytest.raises(SettingsError, match="used by others"):
        await HttpFace(McpOptions(port=0, token_file=str(bad))).serve(None)


class TestOnAnotherLoop:
    @pytest.fixture
    def anyio_backend(self):
        return "trio"

    async def test_it_says_that_it_runs_on_one_only(self):
        with pytest.raises(PluginError, match="asyncio only"):
            await HttpFace(McpOptions(port=0)).serve(None)
