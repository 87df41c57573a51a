"""The peer of every measurement: an agent that is never the bottleneck, since it reads no more than it must.

A prompt's text is a number: so many updates of 222 bytes with their newline, one `write` each, then
the answer. The notification `_bench/ping` is answered by one such update.
"""

from __future__ import annotations

import json
import os

SESSION = "5e551011-0000-4000-8000-000000000001"
UPDATE_BYTES = 222

_UPDATE = (
    b'{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"%b","update":'
    b'{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"%b"}}}}\n'
)
_FRAME = len(_UPDATE % (SESSION.encode(), b""))
UPDATE = _UPDATE % (SESSION.encode(), b"I look at the failing test first.".ljust(UPDATE_BYTES - _FRAME, b"."))

_RESULTS = {"initialize": {"protocolVersion": 1, "agentCapabilities": {}}, "session/new": {"sessionId": SESSION}}


def serve() -> None:
    """Answer until stdin ends."""
    rest = b""
    while chunk := os.read(0, 65536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if b'"_bench/ping"' in line:
                os.write(1, UPDATE)
            else:
                _answer(json.loads(line))


def _answer(message: dict[str, object]) -> None:
    if "id" not in message:
        return
    result = _RESULTS.get(str(message["method"]), {})
    if message["method"] == "session/prompt":
        _flood(message)
        result = {"stopReason": "end_turn"}
    os.write(1, json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode() + b"\n")


def _flood(message: dict[str, object]) -> None:
    params = message["params"]
    count = int(params["prompt"][0]["text"])  # type: ignore[index]
    write, update = os.write, UPDATE
    for _ in range(count):
        write(1, update)  # less than PIPE_BUF, so it is written whole


if __name__ == "__main__":
    try:
        serve()
    except BrokenPipeError:
        os._exit(0)
