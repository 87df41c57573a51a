"""The peer of every measurement: an agent that is never the bottleneck, since it reads no more than it must.

A prompt's text is a number: so many updates of 222 bytes with their newline, one `write` each, then
the answer. A second number is how many bytes each of them has. `100@50` are a hundred, fifty a second, each with the
time of its writing (`@NANOSECONDS@`). The notification `_bench/ping` is answered by one update, the request
`_bench/wait` after so many `seconds`.
"""

from __future__ import annotations

import json
import os
import time

SESSION = "5e551011-0000-4000-8000-000000000001"
UPDATE_BYTES = 222

_UPDATE = (
    b'{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"%b","update":'
    b'{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"%b"}}}}\n'
)
_FRAME = len(_UPDATE % (SESSION.encode(), b""))
_TEXT = b"I look at the failing test first."

_RESULTS = {"initialize": {"protocolVersion": 1, "agentCapabilities": {}}, "session/new": {"sessionId": SESSION}}


def update(size: int) -> bytes:
    """An update of so many bytes, its newline included."""
    return _UPDATE % (SESSION.encode(), _TEXT.ljust(size - _FRAME, b"."))


UPDATE = update(UPDATE_BYTES)


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
        _tell(message)
        result = {"stopReason": "end_turn"}
    elif message["method"] == "_bench/wait":
        time.sleep(message["params"]["seconds"])  # type: ignore[index] # a request has them; this is the wait it asks for
    os.write(1, json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode() + b"\n")


def _tell(message: dict[str, object]) -> None:
    asked = message["params"]["prompt"][0]["text"]  # type: ignore[index] # a prompt has it
    count, _, rate = asked.partition("@")
    if rate:
        _paced(int(count), 1 / float(rate))
        return
    updates, *size = map(int, asked.split())
    write, line = os.write, update(*size or (UPDATE_BYTES,))
    for _ in range(updates):
        write(1, line)  # a pipe that blocks takes it whole


def _paced(count: int, interval_s: float) -> None:
    """Not at the same moments as other agents."""
    due = time.monotonic() + interval_s * (os.getpid() % 17) / 17
    for _ in range(count):
        time.sleep(max(0.0, due - time.monotonic()))  # the pace is what was asked for
        due += interval_s
        os.write(1, UPDATE.replace(_TEXT, (b"@%d@" % time.monotonic_ns()).ljust(len(_TEXT), b".")))


if __name__ == "__main__":
    try:
        serve()
    except BrokenPipeError:
        os._exit(0)
