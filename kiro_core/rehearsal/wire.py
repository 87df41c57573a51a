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

    def __init__(self, number: int, sentence: str) -> None:
        """`number`: JSON-RPC 2.0 section 5.1, or ACP's -32002."""
        super().__init__(sentence)
        self.number = number


def line(message: dict[str, Any]) -> bytes:
    """One message as a line; ASCII, so that a lone surrogate travels as it came."""
    return json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode() + b"\n"


class Wire:
    """The client, as seen from here."""

    def __init__(self) -> None:
        """Use descriptors 0 and 1."""
        self._writing = threading.Lock()
        self._ids = itertools.count(1)
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
            elif slot := self._slots.pop(message.get("id"), None):
                slot.put(message)

    def write(self, block: bytes) -> None:
        """Write whole lines; when nobody reads any more they are dropped, and the end of stdin will follow."""
        with self._writing:
            try:
                while block:
                    block = block[os.write(1, block) :]
            except BrokenPipeError:
                return

    def notify(self, method: str, params: dict[str, Any]) -> None:
        """Tell the client something."""
        self.write(line({"method": method, "params": params}))

    def answer(self, request: Any, result: Any) -> None:
        """Answer a request."""
        self.write(line({"id": request, "result": result}))

    def fail(self, request: Any, fault: Fault) -> None:
        """Answer a request with an error."""
        self.write(line({"id": request, "error": {"code": fault.number, "message": str(fault)}}))

    def ask(self, method: str, params: dict[str, Any], slot: SimpleQueue[Any]) -> None:
        """Send a request; the response, a whole message, arrives in `slot`."""
        number = next(self._ids)
        self._slots[number] = slot
        self.write(line({"id": number, "method": method, "params": params}))
