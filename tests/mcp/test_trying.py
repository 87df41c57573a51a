"""An MCP server is spoken with over the launcher's pipes, on any event loop."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anyio
import pytest

from kiro_core.cli.mcp.trying import try_server
from kiro_core.errors import McpFailed
from kiro_core.mcp_servers import SessionServer
from kiro_local.launcher import open_launcher
from kiro_local.options import LocalOptions

SERVER = str(Path(__file__).parent / "mini_server.py")


def server(*arguments, command=sys.executable):
    env = [{"name": "MINI", "value": "mine"}]
    return SessionServer("mini", "/mcp.json", {"name": "mini", "command": command, "args": list(arguments), "env": env})


@pytest.fixture
def refusing():
    """Start an http server that answers everything with one status; its address."""
    servers = []

    def start(status):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.end_headers()

            def do_POST(self):
                self.do_GET()

            def log_message(self, *_):
                """Say nothing."""

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_address[1]}/mcp"

    yield start
    for one in servers:
        one.shutdown()
        one.server_close()


async def tried(tmp_path, one, timeout_s=20):
    with anyio.fail_after(30):
        async with open_launcher(LocalOptions()) as launcher:
            return await try_server(one, launcher, tmp_path, timeout_s)


async def test_a_server_tells_its_name_and_its_tools(tmp_path):
    found = await tried(tmp_path, server(SERVER, "noisy"))
    assert (found.name, found.version) == ("mini", "1.2")
    assert found.tools == [("echo", "Say it again.\nAll of it."), ("fail", "")]


async def test_a_listing_without_an_end_is_cut(tmp_path):
    assert len((await tried(tmp_path, server(SERVER, "endless"))).tools) <= 100


@pytest.mark.parametrize(
    ("one", "sentence"),
    [
        (server(SERVER, "exit"), "ended with status 1."),
        (server(SERVER, "refuse=initialize"), "could not be asked: Not here."),
        (server("-c", "import os, time; os.close(1); time.sleep(600)"), "could not be asked: Connection closed."),
        (server("-c", "print('{}')"), "ended with status 0."),
        (server(command="/not/there"), "does not start: There is no program '/not/there'."),
    ],
)
async def test_a_server_that_does_not_start_is_one_error(tmp_path, one, sentence):
    with pytest.raises(McpFailed) as raised:
        await tried(tmp_path, one)
    assert str(raised.value) == f"The MCP server 'mini' {sentence}"


async def test_a_silent_server_is_not_waited_for(tmp_path):
    with pytest.raises(McpFailed, match=r"has not listed its tools within 0\.2 s"):
        await tried(tmp_path, server("-c", "import time; time.sleep(600)"), timeout_s=0.2)


async def test_a_cancelled_trial_ends(tmp_path):
    with anyio.move_on_after(0.2) as scope:
        await tried(tmp_path, server("-c", "import time; time.sleep(600)"))
    assert scope.cancelled_caught


@pytest.mark.parametrize("kind", ["http", "sse"])
@pytest.mark.parametrize("status", [401, 500])
async def test_an_address_that_refuses_is_told_by_its_status_and_without_its_query(refusing, kind, status):
    url = f"{refusing(status)}?key=S3CRET"
    one = SessionServer("web", "/mcp.json", {"type": kind, "name": "web", "url": url, "headers": []})
    with pytest.raises(McpFailed) as raised, anyio.fail_after(30):
        await try_server(one, None, Path("/"), 20)
    assert str(raised.value) == f"The MCP server 'web' answered with HTTP status {status}."
    assert raised.value.hint.startswith("It wants a login") is (status == 401)
