"""The measuring client: it counts newlines and reads answers, so that its own cost is the same whatever it measures."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.running import Program


@dataclass(frozen=True, slots=True)
class Flood:
    """What one flood took: updates a second behind the first chunk, and CPU seconds an update of the program."""

    rate: float
    cpu_s: float


class Editor:
    """A connection with one session, to an agent or to whatever stands in front of it."""

    def __init__(self, program: Program) -> None:
        """Wait until it has answered `initialize`."""
        self.program = program
        self._ids = 0
        self._ask("initialize", {"protocolVersion": 1, "clientCapabilities": {}})

    def begin(self, cwd: Path) -> Editor:
        """Begin the session."""
        self._session = self._ask("session/new", {"cwd": str(cwd), "mcpServers": []})["sessionId"]
        ping = {"jsonrpc": "2.0", "method": "_bench/ping", "params": {"sessionId": self._session}}
        self._ping = json.dumps(ping).encode() + b"\n"
        return self

    def begin_flood(self, count: int, size: int | None = None) -> None:
        """Ask for so many updates, of so many bytes each; by default the agent's own size."""
        text = str(count) if size is None else f"{count} {size}"
        self._send("session/prompt", {"sessionId": self._session, "prompt": [{"type": "text", "text": text}]})

    def flood(self, count: int, size: int | None = None) -> Flood:
        """Have so many updates and read them all, and the answer behind them."""
        cpu, ends = self.program.cpu_s(), 0.0
        self.begin_flood(count, size)
        first = self.program.read().count(b"\n")
        begins, lines = time.perf_counter(), first
        while lines <= count:
            lines += self.program.read().count(b"\n")
            if not ends and lines >= count:
                ends = time.perf_counter()
        return Flood((count - first) / (ends - begins), (self.program.cpu_s() - cpu) / count)

    def ping(self) -> float:
        """Seconds from a notification to the agent until its update is here."""
        begins = time.perf_counter()
        os.write(self.program.stdin, self._ping)
        while not self.program.read().endswith(b"\n"):
            pass
        return time.perf_counter() - begins

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        """The result of a request; nothing else is on its way."""
        self._send(method, params)
        read = b""
        while not read.endswith(b"\n"):
            read += self.program.read()
        return json.loads(read.splitlines()[-1])["result"]

    def _send(self, method: str, params: dict[str, Any]) -> None:
        self._ids += 1
        message = {"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params}
        os.write(self.program.stdin, json.dumps(message).encode() + b"\n")
