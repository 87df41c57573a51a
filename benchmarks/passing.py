"""Whether what is none of our business passes unchanged: bytes out are bytes in, however odd the line is."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from operator import eq
from pathlib import Path

from benchmarks import subjects
from benchmarks.goals import Curve, Goal
from benchmarks.programs import odd
from benchmarks.rounds import Experiment, Extent, Figures, Round
from benchmarks.running import Ended, Program

_ANSWER_S = 30.0
_SDK_S = 1.0
"""How long a proxy is waited for that may have ended."""
_SDK = "passed"
_UPDATE = b'{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"%b","update":%b}}' % (odd.SESSION, b"%b")

LINES: Sequence[bytes] = (
    _UPDATE % rb'{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"\ud83d"}}',
    _UPDATE % rb'{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"\u00e9 \/ \u0041"}}',
    _UPDATE % b'{"sessionUpdate":"usage_update","used":NaN,"size":Infinity}',
    _UPDATE % b'{"sessionUpdate":"usage_update","used":1180591620717411303424,"size":1e400}',
    _UPDATE % b'{"sessionUpdate":"usage_update","used":1.0,"used":1.50}',
    _UPDATE % b'{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"\xff\xfe \xc3"}}',
    _UPDATE % b'{"sessionUpdate":"nobody_knows_this","a":{"b":[null,[]]}}',
    _UPDATE % (b'{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"%b"}}' % (b"x" * (1 << 20))),
    _UPDATE.replace(b'"jsonrpc":"2.0",', b' "jsonrpc" : "2.0" ,\t') % b'{"sessionUpdate":"plan","entries":[ ]}',
    _UPDATE.replace(b"session/update", b"_odd/notice") % b'"caf\xc3\xa9"',
)
"""What the agent says."""

SAID: Sequence[bytes] = (
    rb'{"jsonrpc":"2.0","method":"_odd/lone","params":{"sessionId":"%b","text":"\ud83d"}}',
    b'{"jsonrpc":"2.0","method":"_odd/nan","params":{"sessionId":"%b","value":NaN}}',
    b'{"jsonrpc":"2.0","method":"_odd/bytes","params":{"sessionId":"%b","text":"\xff\xfe"}}',
    b'{ "params":{"big":1180591620717411303424,"sessionId":"%b"},  "method":"_odd/spaced", "jsonrpc":"2.0" }',
)
"""What the client says, with its session in it."""

_ASKED = b'{"jsonrpc":"2.0","id":1180591620717411303424,"method":"_odd/ask","params":{"sessionId":"%b"}}' % odd.SESSION
_REPLY = b'{"jsonrpc":"2.0","id":%b,"result":{"value":NaN}}'
"""What the agent asks, under an id of ours for the client; what it is answered comes back under its own."""

GOALS = (Goal("G28", "lines that pass unchanged", "", 100, 100, at_least=True, unit="%"),)
CURVES = (
    Curve(_SDK, "the same through the SDK proxy, each line alone", "lines", (len(LINES),), unit="%", needs="the SDK"),
)

Start = Callable[[dict[str, str]], AbstractContextManager[Program]]


@contextmanager
def unchanged(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G28: all lines through one connection; each by itself through the SDK's proxy, which may end at one of them."""
    figures: dict[str, float] = {}
    if subjects.HAS_SDK and not extent.quick:
        alone = [_passed(scratch, _sdk, [line], [], _SDK_S) for line in LINES]
        figures[f"{_SDK}@{len(LINES)}"] = 100 * sum(alone) / len(LINES)

    def one(_turn: int) -> Figures:
        passed = _passed(scratch, lambda env: subjects.managing(scratch, "odd", **env), LINES, SAID)
        return {"G28": 100 * passed / (len(LINES) + len(SAID) + 1)} | figures

    yield one


@contextmanager
def _sdk(env: dict[str, str]) -> Iterator[Program]:
    with subjects.behind_sdk(subjects.ODD, {**os.environ, **env}) as program:
        yield program
        os.kill(program.pid, signal.SIGKILL)  # one whose connection has died waits for ever


def _passed(
    scratch: Path, start: Start, lines: Sequence[bytes], said: Sequence[bytes], within_s: float = _ANSWER_S
) -> int:
    """How many of the agent's lines come to the client, and of the client's to the agent, as they were."""
    spoken = scratch / "lines"
    spoken.write_bytes(b"\n".join([*lines, *([_ASKED] if said else [])]))
    with ExitStack() as stack:
        program = stack.enter_context(start({"BENCH_LINES": str(spoken)}))
        client = _Client(program)
        client.ask("initialize", {"protocolVersion": 1, "clientCapabilities": {}})
        answer = client.ask("session/new", {"cwd": str(scratch), "mcpServers": []})
        session = json.loads(answer)["result"]["sessionId"]
        for line in said:
            client.write(line % session.encode())
        with suppress(Ended, TimeoutError):  # what it has passed before counts
            client.ask("session/prompt", {"sessionId": session, "prompt": [{"type": "text", "text": "go"}]}, within_s)
            if said:
                client.ask("_bench/last", {"sessionId": session})
        there = client.lines
        back = [line.replace(session.encode(), odd.SESSION) for line in there]
        repeated = {(line % odd.SESSION).hex().encode() for line in said}
        if said:
            repeated.add((_REPLY % b"1180591620717411303424").hex().encode())
        theirs = [line for line in back if line in lines]
        passed: int = sum(map(eq, theirs, lines)) - max(0, len(theirs) - len(lines))  # in order, and once
        return passed + sum(any(each in line for line in back) for each in repeated)


class _Client:
    """Keeps every line that comes."""

    def __init__(self, program: Program) -> None:
        self.lines: list[bytes] = []
        self._program = program
        self._rest = b""
        self._asked = 0

    def ask(self, method: str, params: dict[str, object], within_s: float = _ANSWER_S) -> bytes:
        """The line that answers."""
        self._asked += 1
        request = {"jsonrpc": "2.0", "id": f"bench-{self._asked}", "method": method, "params": params}
        self.write(json.dumps(request).encode())
        ends = time.monotonic() + within_s
        while not (answers := [line for line in self.lines if b'"bench-%d"' % self._asked in line]):
            self._read(ends - time.monotonic())
        return answers[0]

    def write(self, line: bytes) -> None:
        view = memoryview(line + b"\n")
        while view:
            view = view[os.write(self._program.stdin, view) :]

    def _read(self, within_s: float) -> None:
        if not self._program.readable(within_s):
            raise TimeoutError
        *lines, self._rest = (self._rest + self._program.read()).split(b"\n")
        self.lines += lines
        for line in lines:
            if b'"_odd/ask"' in line:
                self.write(_REPLY % str(json.loads(line)["id"]).encode())


EXPERIMENTS = (Experiment(f"G28 {_SDK}", unchanged),)
