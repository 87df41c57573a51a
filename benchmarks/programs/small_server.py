"""An MCP server as small as one that does something can be: an event loop, and what asks a service over HTTPS."""

from __future__ import annotations

import asyncio
import http.client
import json
import logging
import sys

_RESULTS = {
    "initialize": {
        "protocolVersion": "2025-06-18",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "small", "version": "1"},
    },
    "tools/list": {"tools": [{"name": "get", "inputSchema": {"type": "object"}}]},
}
_LOG = logging.getLogger(__name__)


async def main() -> None:
    """Answer until stdin ends."""
    _LOG.debug("over %s", http.client.HTTPSConnection)
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    while line := await stdin.readline():
        message = json.loads(line)
        if "id" in message:
            answer = {"jsonrpc": "2.0", "id": message["id"], "result": _RESULTS.get(message["method"], {})}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
