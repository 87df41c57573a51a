"""The registry that allows servers: where it is read, how often, and what happens when it cannot be."""

import json
import ssl
import stat
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.agentconfig.reading import Unreadable
from kiro_core.errors import SettingsError
from kiro_core.mcp_servers import McpRegistry, merged, read_registry
from kiro_core.mcp_servers.published import servers_of
from kiro_core.settings import load_settings
from kiro_core.types import AgentConfig

LISTED = {"servers": [{"name": "a", "command": "/a", "args": ["1"], "title": "A"}]}
ENTRY = {"command": "/a", "args": ["1"]}
BOUND_S = 20


async def read(source, home, timeout_s=BOUND_S):
    with anyio.fail_after(BOUND_S + 10):
        return await read_registry(str(source), home, timeout_s)


class Answering:
    """An https server; `answers` are (status, headers, body), and the last one is repeated."""

    def __init__(self, certificate):
        self.answers = [(200, {}, json.dumps(LISTED).encode())]
        self.asked = 0
        self.go_on = threading.Event()
        answering = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                answering.asked += 1
                status, headers, body = answering.answers[0]
                del answering.answers[: len(answering.answers) > 1]
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                if body is None:
                    answering.go_on.wait(BOUND_S)
                else:
                    self.wfile.write(body)

            def log_message(self, *_):
                """Say nothing."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://localhost:{self.server.server_address[1]}/registry.json"


@pytest.fixture
def served(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("NO_PROXY", "*")
    answering = Answering(certificate)
    thread = threading.Thread(target=answering.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield answering
    answering.go_on.set()
    answering.server.shutdown()
    answering.server.server_close()
    thread.join(BOUND_S)


async def test_a_file_is_read_each_time(tmp_path, home):
    path = tmp_path / "registry.json"
    path.write_text(json.dumps(LISTED))
    found = await read(path, home)
    assert (found.servers, found.problem) == ({"a": ENTRY}, None)
    path.write_text(json.dumps({"servers": []}))
    assert (await read(path, home)).servers == {}
    assert not home.exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "is not JSON at line 1"),
        ("{}", "has no list `servers`"),
        ('{"servers": [{}]}', "has a server without a name"),
        (" " * ((1 << 20) + 1), "is larger than 1048576 bytes"),
    ],
)
async def test_a_registry_that_cannot_be_read_allows_nothing_and_tells_why(tmp_path, home, text, reason):
    path = tmp_path / "registry.json"
    if text is not None:
        path.write_text(text)
    found = await read(path, home)
    assert found.servers == {}
    told = str(found.problem)
    assert told.startswith(f"mcp_registry: the registry {path} {reason}")
    assert told.endswith("without it no MCP server may be used")


async def test_an_address_is_asked_once_a_day(served, home):
    assert (await read(served.url, home)).servers == {"a": ENTRY}
    cache = home / "mcp_registry.json"
    assert stat.S_IMODE(cache.stat().st_mode) == 0o600
    assert (await read(served.url, home)).servers == {"a": ENTRY}
    assert served.asked == 1
    kept = json.loads(cache.read_text())
    cache.write_text(json.dumps(kept | {"read": (datetime.now(UTC) - timedelta(hours=25)).isoformat()}))
    assert (await read(served.url, home)).servers == {"a": ENTRY}
    assert served.asked == 2
    assert json.loads(cache.read_text())["read"] >= kept["read"]


@pytest.mark.parametrize(
    "change",
    [
        {"read": (datetime.now(UTC) + timedelta(days=2)).isoformat()},
        {"read": "yesterday"},
        {"read": "2026-01-31T08:00:00"},
        {"source": "https://other.example/"},
        {"registry": []},
    ],
)
async def test_what_was_kept_of_another_time_or_place_is_not_used(served, home, change):
    await read(served.url, home)
    cache = home / "mcp_registry.json"
    cache.write_text(json.dumps(json.loads(cache.read_text()) | change))
    served.answers = [(503, {}, b"")]
    found = await read(served.url, home)
    assert found.servers == {}
    assert "answered with 503" in str(found.problem)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((404, {}, b""), "answered with 404"),
        ((200, {}, b"<html>"), "is not JSON at line 1"),
        ((200, {}, b"\xff"), "is not UTF-8 at byte 0"),
        ((200, {}, b" " * ((1 << 20) + 1)), "is larger than 1048576 bytes"),
        ((302, {"Location": "http://localhost/"}, b""), "answered with 302"),
        ((302, {"Location": "file:///etc/passwd"}, b""), "answered with 302"),
    ],
)
async def test_an_answer_that_is_no_registry_allows_nothing_and_is_not_kept(served, home, answer, reason):
    served.answers = [answer]
    found = await read(served.url, home)
    assert found.servers == {}
    assert reason in str(found.problem)
    assert not (home / "mcp_registry.json").exists()


async def test_a_redirection_to_another_https_address_is_followed(served, home):
    served.answers = [(302, {"Location": served.url}, b""), *served.answers]
    assert (await read(served.url, home)).servers == {"a": ENTRY}


async def test_a_server_that_does_not_answer_is_not_waited_for(served, home):
    served.answers = [(200, {}, None)]
    found = await read(served.url, home, timeout_s=0.3)
    assert "did not answer within 0.3 s" in str(found.problem)


async def test_a_certificate_that_nobody_trusts_allows_nothing(served, home, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    assert "cannot be reached" in str((await read(served.url, home)).problem)


async def test_a_home_that_cannot_be_written_costs_the_day_and_nothing_else(served, tmp_path):
    (tmp_path / "file").write_text("")
    assert (await read(served.url, tmp_path / "file")).servers == {"a": ENTRY}


PACKAGES = [
    (
        {"registryType": "npm", "identifier": "@x/y", "version": "1.0.2"},
        {"command": "npx", "args": ["-y", "@x/y@1.0.2"], "env": {}},
    ),
    (
        {
            "registryType": "pypi",
            "identifier": "weather",
            "version": "0.5",
            "runtimeHint": "uvx",
            "packageArguments": [
                {"type": "named", "name": "--port", "value": "8"},
                {"type": "positional", "default": "here"},
                {"type": "positional", "valueHint": "asked"},
            ],
            "environmentVariables": [{"name": "A", "default": "1"}, {"name": "TOKEN", "isRequired": True}],
        },
        {"command": "uvx", "args": ["weather@0.5", "--port", "8", "here"], "env": {"A": "1"}},
    ),
    (
        {
            "registryType": "oci",
            "identifier": "docker.io/x/y:1",
            "environmentVariables": [{"name": "TOKEN"}],
            "runtimeArguments": [{"type": "named", "name": "--network", "value": "none"}],
        },
        {
            "command": "docker",
            "args": ["run", "-i", "--rm", "-e", "TOKEN", "--network", "none", "docker.io/x/y:1"],
            "env": {},
        },
    ),
    ({"registryType": "mcpb", "identifier": "https://x/y.mcpb"}, {}),
    ({"registryType": "npm", "identifier": "y", "transport": {"type": "streamable-http", "url": "http://x"}}, {}),
]


@pytest.mark.parametrize(("package", "entry"), PACKAGES)
async def test_a_published_package_is_started_by_its_runtime(tmp_path, home, package, entry):
    path = tmp_path / "registry.json"
    path.write_text(json.dumps({"servers": [{"server": {"name": "p", "packages": [package]}, "_meta": {}}]}))
    assert (await read(path, home)).servers == {"p": entry}


async def test_a_published_address_goes_before_a_package(tmp_path, home):
    remotes = [{"type": "streamable-http", "url": "https://x/mcp", "headers": [{"name": "X", "value": "1"}]}]
    server = {"name": "p", "remotes": remotes, "packages": [PACKAGES[0][0]]}
    path = tmp_path / "registry.json"
    path.write_text(json.dumps({"servers": [server]}))
    assert (await read(path, home)).servers == {"p": {"type": "http", "url": "https://x/mcp", "headers": {"X": "1"}}}


_WORDS = ("name", "server", "remotes", "packages", "type", "url", "headers", "registryType", "identifier", "npm", "env")
_JSON = st.recursive(
    st.none() | st.integers() | st.sampled_from(_WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(_JSON, max_size=3), _JSON)
def test_any_registry_is_read_or_refused(servers, written):
    try:
        registry = McpRegistry("/r.json", servers_of({"servers": servers}))
    except Unreadable:
        return
    entries = {name: written if isinstance(written, dict) else {} for name in registry.servers}
    entries = {name: {**entry, "type": "registry"} for name, entry in entries.items()}
    config = AgentConfig("any", fields={"mcpServers": entries})
    found = merged((), config, Path("/"), Path("/none"), lambda _: True, registry, {})
    assert len(found.servers) + len(found.left_out) == len(entries)


@pytest.mark.parametrize("source", ["registry.json", "http://x/registry.json"])
def test_a_registry_that_a_folder_could_replace_is_refused(source):
    with pytest.raises(SettingsError, match="mcp_registry should be an absolute path, or an address"):
        load_settings({"mcp_registry": source}, environ={})
