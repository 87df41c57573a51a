"""JSON-RPC lines over stdin and stdout, written whole from any thread."""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any


class Fault(Exception):
    """A request that is answered with a JSON-RPC error of this number and sentence."""

    def __init__(self, number: int, sentence: str, data: Any = None) -> None:
        """`number`: JSON-RPC 2.0 section 5.1, or one of ACP's; `data` is left out when it is None."""
        super().__init__(sentence)
        self.number = number
        self.data = data


def line(message: dict[str, Any]) -> bytes:
    """One message as a line; ASCII, so that a lone surrogate travels as it came."""
    return json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode() + b"\n"


def odd_ids() -> Iterator[Any]:
    """Request ids that JSON allows and few programs expect, none of them twice but null."""
    for number in itertools.count(1):
        yield from (f'"{number}" é', -number, 2**64 + number, number + 0.5, None)


class Wire:
    """The client, as seen from here; `client` is what it said of itself in `initialize`."""

    def __init__(self, ids: Iterator[Any]) -> None:
        """Use descriptors 0 and 1; requests to the client get these ids."""
        self.client: dict[str, Any] = {}
        self._writing = threading.Lock()
        self._ids = ids
        self._slots: dict[Any, SimpleQueue[Any]] = {}

    def messages(self) -> Iterator[dict[str, Any]]:
        """The client's requests and notifications until stdin ends; bad lines are answered here."""
        for text in sys.stdin.buffer:
            if text.isspace():
                continue
            try:
                message = json.loads(text)
            except (ValueError, RecursionError):
                self.fail(None, Fault(-32700, "The line is not JSON."))
                continue
            if not isinstance(message, dict):
                self.fail(None, Fault(-32600, "The message is not an object."))
            elif "method" in message:
                yield message
            elif slot := self._waiting(message.get("id")):
                slot.put(message)

    def offers(self, *path: str) -> bool:
        """Whether the client has this capability; `{}` is a yes, as ACP wants it."""
        value: Any = self.client.get("clientCapabilities")
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value not in (None, False)

    def write(self, block: bytes) -> None:
        """Write whole lines; when nobody reads any more they are dropped, and the end of stdin will follow."""
        with self._writing:
            try:
                while block:
                    block = block[os.write(1, block) :]
            except BrokenPipeError:
                return

    def notify(self, method: str, params: Any) -> None:
        """Tell the client something."""
        self.write(line({"method": method, "params": params}))

    def update(self, session: str, *updates: dict[str, Any]) -> None:
        """Send updates of a session in one write."""
        messages = [{"method": "session/update", "params": {"sessionId": session, "update": one}} for one in updates]
        self.write(b"".join(map(line, messages)))

    def answer(self, request: Any, result: Any) -> None:
        """Answer a request."""
        self.write(line({"id": request, "result": result}))

    def fail(self, request: Any, fault: Fault) -> None:
        """Answer a request with an error."""
        error = {"code": fault.number, "message": str(fault)}
        self.write(line({"id": request, "error": error if fault.data is None else {**error, "data": fault.data}}))

    def ask(self, method: str, params: Any, slot: SimpleQueue[Any]) -> None:
        """Send a request; the response, a whole message, arrives in `slot`."""
        request = next(self._ids)
        self._slots[request] = slot
        self.write(line({"id": request, "method": method, "params": params}))

    def _waiting(self, request: Any) -> SimpleQueue[Any] | None:
        known = request is None or isinstance(request, str | int | float)
        return self._slots.pop(request, None) if known else None
