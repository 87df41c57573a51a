"""Serves the product's own MCP server over HTTP to the official suite, with the fixtures that it asks for.

Usage: serve.py [--plain]; it prints its address, and ends by SIGTERM. The suite cannot send a token,
so that each request gets one here; everything else is as `kiro-core mcp serve --http` has it.
"""

import signal
import sys
from pathlib import Path

import anyio

sys.path.append(str(Path(__file__).parent))  # a safe path leaves the script's own folder out

_TOKEN = "of-the-conformance-suite"


class _Printing:
    """A task status that prints where the server is."""

    def started(self, value=None):
        sys.stdout.write(f"{value}\n")
        sys.stdout.flush()


async def main(plain):
    from official.adding import add_fixtures

    from kiro_core import Registry
    from kiro_core.dispatcher import open_desk
    from kiro_core.settings import load_settings
    from kiro_mcp import http
    from kiro_mcp.options import McpOptions
    from kiro_mcp.server import build_server

    class Open(http.Gate):
        async def __call__(self, scope, receive, send):
            headers = [*scope.get("headers", ()), (b"authorization", f"Bearer {_TOKEN}".encode())]
            await super().__call__({**scope, "headers": headers}, receive, send)

    http.Gate = Open
    options = McpOptions(port=0)
    async with open_desk(load_settings(), Registry(), engine="rehearsal", face="mcp") as desk:
        server = build_server(desk, options)
        if not plain:
            add_fixtures(server)
        with anyio.open_signal_receiver(signal.SIGTERM) as received:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_end, received, tasks.cancel_scope)
                await http.serve_http(server, options, _TOKEN, task_status=_Printing())


async def _end(received, scope):
    async for _ in received:
        scope.cancel()


if __name__ == "__main__":
    anyio.run(main, "--plain" in sys.argv)
