"""What tests of the tools of a crew share: a crew that does nothing, and the far end of a connection."""

import json
from collections.abc import Mapping
from dataclasses import replace

import anyio

from kiro_core.control.meeting import as_stream
from kiro_core.control.places import connect
from kiro_core.frames import Frame
from kiro_core.types import Letter, Member, SessionId

NOW = "2026-01-31T08:00:00.000Z"
ALICE = Member(SessionId("a-1"), "Alice", SessionId("p-1"), "Count the\nbeans", "working", NOW, NOW, agent="counter")
DONE = replace(ALICE, status="terminated", outcome="succeeded", result="Seven beans.")
LETTER = Letter("m-1", NOW, "a-1", "Alice", "result", "Seven beans.", about={"outcome": "succeeded"})
ANSWERS = {
    **dict.fromkeys(("spawn", "status", "interrupt", "revive", "end"), ALICE),
    **dict.fromkeys(("send", "inject"), LETTER),
    **{key: [LETTER] for key in ("broadcast", "read")},
    **{key: [ALICE, DONE] for key in ("members", "wait")},
    "group": [("docs", [ALICE])],
    "summarise": None,
    "deliver": None,
}


class IdleCrew:
    """Implements `Crews`: it notes what it is asked for; what is not of members is the `real` one's.

    `hanging` are verbs that never come to an end, `raising` errors by verb.
    """

    def __init__(self, real=None):
        self.asked, self.hanging, self.raising = [], set(), {}
        self.spawns = True
        self.cancelled = anyio.Event()
        self._real = real

    def may_spawn(self, by):
        self.asked.append(("may_spawn", by))
        return self.spawns

    def __getattr__(self, verb):
        if verb not in ANSWERS:
            return getattr(self._real, verb, None)

        async def asked(*given, **named):
            self.asked.append((verb, *given, {name: value for name, value in named.items() if value}))
            if verb in self.hanging:
                try:
                    await anyio.sleep_forever()
                finally:
                    self.cancelled.set()
            if verb in self.raising:
                raise self.raising[verb]
            return ANSWERS[verb]

        return asked

    def only(self, verb):
        """What it was asked for with that verb."""
        return [given for name, *given in self.asked if name == verb]


class Echo:
    """Implements `ToolServer`: says who it serves, and then whatever is said."""

    async def serve_tools(self, crew, stream):
        await stream.send(crew.send.args[0].encode() + b"\n")
        while True:
            try:
                await stream.send(await stream.receive())
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return


class FarEnd:
    """A connection to a desk's socket, which asks for the tools of the session with that token."""

    def __init__(self, place, token):
        self.stream = as_stream(connect(place))
        self._token = token
        self._read = b""

    async def __aenter__(self):
        request = Frame.of("_kiro_core/crew", {"token": self._token}, id=0)
        await self.stream.send(request.raw + b"\n")
        self.answer = json.loads(await self.line() or b"{}")
        return self

    async def __aexit__(self, *_):
        await self.stream.aclose()

    async def line(self):
        """The next line, b"" at the end."""
        while b"\n" not in self._read:
            try:
                self._read += await self.stream.receive()
            except anyio.EndOfStream:
                return b""
        line, _, self._read = self._read.partition(b"\n")
        return line

    async def ask(self, method, number=1, **params):
        """The answer to a request of MCP."""
        await self.say(method, number, **params)
        while (answer := json.loads(await self.line())).get("id") != number:
            pass
        return answer

    async def say(self, method, number=None, **params):
        numbered = {} if number is None else {"id": number}
        message = {"jsonrpc": "2.0", "method": method, "params": params, **numbered}
        await self.stream.send(json.dumps(message).encode() + b"\n")

    async def initialize(self):
        about = {"name": "test", "version": "1"}
        await self.ask("initialize", 0, protocolVersion="2025-06-18", capabilities={}, clientInfo=about)
        await self.say("notifications/initialized")

    async def call(self, tool, **arguments):
        return (await self.ask("tools/call", name=tool, arguments=arguments))["result"]


def given(session):
    """The crew's server among those of a session of a desk: its command, and the token in its environment."""
    [server] = [one for one in session.plan.servers if one.origin == "crew"]
    [token] = server.entry["env"]
    assert isinstance(server.entry, Mapping)
    assert token["name"] == "KIRO_CREW_TOKEN"
    return server.entry, token["value"]
