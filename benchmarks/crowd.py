"""The measuring client of many agents that speak at the pace of models: when each update was written, and is here."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.host import Asking
from benchmarks.running import Program

_STAMP = re.compile(rb"@(\d+)@")


@dataclass(frozen=True, slots=True)
class Heard:
    """What a while with all of them took: seconds that half, and 99 %, of the updates took at most; CPU an update."""

    p50_s: float
    p99_s: float
    cpu_s: float


class Crowd:
    """So many agents behind one program that routes what is said by session; they are prompted one by one."""

    def __init__(self, program: Program, cwd: Path, count: int) -> None:
        """Begin the sessions."""
        self.program = program
        self.asking = Asking(program)
        self.asking.ask([("initialize", {"protocolVersion": 1, "clientCapabilities": {}})])
        begun = self.asking.ask([("session/new", {"cwd": str(cwd), "mcpServers": []})] * count)
        self.sessions = [told["sessionId"] for told in begun]

    def listen(self, updates: int, rate: int) -> Heard:
        """Have each agent write so many updates, so many a second."""
        self.asking.write(b"".join(_prompt(session, updates, rate) for session in self.sessions))
        return _heard(self.program, updates, len(self.sessions))


class Chorus:
    """So many agents behind a program that gives each of them all that we write."""

    def __init__(self, program: Program, count: int) -> None:
        """They need no session."""
        self.program = program
        self._count = count

    def listen(self, updates: int, rate: int) -> Heard:
        """The same."""
        Asking(self.program).write(_prompt("", updates, rate))
        return _heard(self.program, updates, self._count)


class Pair:
    """Two sessions behind one program: while one is in a step, the other one is asked something."""

    def __init__(self, program: Program, cwd: Path) -> None:
        """Begin them."""
        self._program = program
        self._crowd = Crowd(program, cwd, 2)
        self._busy = False

    def ask(self, step_s: float) -> float:
        """Seconds until a request to one session is answered; the other one is in a step of so many seconds, if any."""
        if step_s and not self._busy:
            self._busy = True
            self._write(0, "step", step_s)
        begins = time.perf_counter()
        self._write(1, "asked", 0)
        self._read(b'"id":"asked"')
        took = time.perf_counter() - begins
        while self._busy and not step_s:
            self._read(b'"id":"step"')
        return took

    def _write(self, session: int, name: str, seconds: float) -> None:
        params = {"sessionId": self._crowd.sessions[session], "seconds": seconds}
        request = {"jsonrpc": "2.0", "id": name, "method": "_bench/wait", "params": params}
        self._crowd.asking.write(json.dumps(request).encode() + b"\n")

    def _read(self, answer: bytes) -> None:
        while answer not in (said := self._program.read().replace(b" ", b"")):
            self._busy = self._busy and b'"id":"step"' not in said
        self._busy = self._busy and b'"id":"step"' not in said


def _prompt(session: str, updates: int, rate: int) -> bytes:
    text = [{"type": "text", "text": f"{updates}@{rate}"}]
    request: dict[str, Any] = {"sessionId": session, "prompt": text}
    return json.dumps({"jsonrpc": "2.0", "id": 0, "method": "session/prompt", "params": request}).encode() + b"\n"


def _heard(program: Program, updates: int, agents: int) -> Heard:
    took: list[float] = []
    begins, answers, rest = program.cpu_s(), 0, b""
    while answers < agents:
        block, newline, more = (rest + program.read()).rpartition(b"\n")
        now, rest = time.monotonic_ns(), more
        took += [(now - int(stamp)) / 1e9 for stamp in _STAMP.findall(block)]
        answers += (block + newline).count(b'"end_turn"')
    if len(took) != updates * agents:
        message = f"{len(took)} of {updates * agents} updates came."
        raise RuntimeError(message)
    return Heard(*_percentiles(took), (program.cpu_s() - begins) / len(took))


def _percentiles(took: Sequence[float]) -> tuple[float, float]:
    hundredths = quantiles(took, n=100)
    return hundredths[49], hundredths[98]


def p99(took: Sequence[float]) -> float:
    """What 99 % of them are at most."""
    return _percentiles(took)[1]
