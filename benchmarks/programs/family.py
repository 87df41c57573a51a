"""An agent that starts programs: the MCP servers that it is given, and with `helpers` three that nobody asked for.

The helpers are a plain child, one in a session of its own, and a daemon; `BENCH_HELPER` is in their command lines.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

_SESSION = "5e551011-0000-4000-8000-000000000002"
_HELPER = [sys.executable, "-I", "-S", "-c", "import time\ntime.sleep(600)", "BENCH_HELPER"]
_RESULTS = {
    "initialize": {"protocolVersion": 1, "agentCapabilities": {}},
    "session/new": {"sessionId": _SESSION},
}
_HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "family", "version": "1"}}


def _start(servers: list[dict[str, Any]]) -> list[subprocess.Popen[bytes]]:
    """Start the servers, and wait until each has introduced itself."""
    hello = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": _HELLO}).encode() + b"\n"
    pipe = subprocess.PIPE
    started = [
        subprocess.Popen([server["command"], *server["args"]], stdin=pipe, stdout=pipe, bufsize=0) for server in servers
    ]
    for server in started:
        os.write(server.stdin.fileno(), hello)  # type: ignore[union-attr] # it is a pipe
    for server in started:
        server.stdout.readline()  # type: ignore[union-attr] # the same
    return started


def _help() -> None:
    subprocess.Popen(_HELPER)
    subprocess.Popen(_HELPER, start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(_HELPER[0], _HELPER)  # noqa: S606 - it takes our place
        os._exit(0)
    os.wait()


def serve() -> None:
    """Answer until stdin ends."""
    started = []
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if "id" not in message or "method" not in message:
            continue
        if message["method"] == "session/new":
            started += _start(message["params"]["mcpServers"])
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": _RESULTS.get(message["method"], {})}
        os.write(1, json.dumps(answer).encode() + b"\n")
    for server in started:
        server.stdin.close()  # type: ignore[union-attr] # it is a pipe
        server.wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["helpers"]:
        _help()
    serve()
