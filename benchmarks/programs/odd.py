"""An agent that says what programs say and parsers refuse: on a prompt it writes the lines of the file `BENCH_LINES`.

What comes to it and is no request of ACP it repeats as an update, in hexadecimal digits, so that its bytes are seen.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

SESSION = b"5e551011-0000-4000-8000-000000000003"
_RESULTS = {
    "initialize": {"protocolVersion": 1, "agentCapabilities": {}},
    "session/new": {"sessionId": SESSION.decode()},
}


def _repeated(line: bytes) -> bytes:
    content = {"type": "text", "text": line.hex()}
    params = {"sessionId": SESSION.decode(), "update": {"sessionUpdate": "agent_message_chunk", "content": content}}
    return json.dumps({"jsonrpc": "2.0", "method": "session/update", "params": params}).encode()


def _write(*lines: bytes) -> None:
    view = memoryview(b"".join(line + b"\n" for line in lines))
    while view:
        view = view[os.write(1, view) :]


def serve() -> None:
    """Answer until stdin ends."""
    for line in sys.stdin.buffer:
        odd = b'"_odd' in line or b'"id":1180591620717411303424' in line
        if odd:
            _write(_repeated(line[:-1]))
            continue
        message = json.loads(line)
        if message.get("method") == "session/prompt":
            _write(*Path(os.environ["BENCH_LINES"]).read_bytes().splitlines())
            _RESULTS["session/prompt"] = {"stopReason": "end_turn"}
        if "id" in message:
            answer = {"jsonrpc": "2.0", "id": message["id"], "result": _RESULTS.get(message["method"], {})}
            _write(json.dumps(answer).encode())


if __name__ == "__main__":
    serve()
