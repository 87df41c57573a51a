"""The baseline `hand`: what a call of a tool costs at least, by a server that answers each line from a constant."""

from __future__ import annotations

import json
import os

_TOOL = {"name": "echo", "description": "Say it again.", "inputSchema": {"type": "object"}}
_RESULTS: dict[str, object] = {
    "initialize": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "hand", "version": "1"},
    },
    "tools/list": {"tools": [_TOOL]},
    "tools/call": {"content": [{"type": "text", "text": '{"count": 0}'}], "structuredContent": {"count": 0}},
}


def serve() -> None:
    """Answer until stdin ends."""
    rest = b""
    while chunk := os.read(0, 65536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "id" in message:
                answer = {"jsonrpc": "2.0", "id": message["id"], "result": _RESULTS[message["method"]]}
                os.write(1, json.dumps(answer).encode() + b"\n")


if __name__ == "__main__":
    serve()
