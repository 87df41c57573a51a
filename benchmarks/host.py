"""The measuring clients of many sessions: what they ask they ask at once, and then they read until all is answered."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from benchmarks.running import Program

Asked = tuple[str, dict[str, Any]]


class Asking:
    """JSON-RPC with a program, many requests at a time."""

    def __init__(self, program: Program) -> None:
        """Nothing was asked."""
        self.program = program
        self._ids = 0
        self._rest = b""

    def ask(self, asked: Sequence[Asked]) -> list[Any]:
        """The results of requests `(method, params)`, in their order.

        Raises:
            RuntimeError: one was refused.

        """
        first = self._ids
        self._ids += len(asked)
        requests = [
            {"jsonrpc": "2.0", "id": first + number, "method": method, "params": params}
            for number, (method, params) in enumerate(asked)
        ]
        self.write(b"".join(json.dumps(request).encode() + b"\n" for request in requests))
        results: dict[int, Any] = {}
        while len(results) < len(asked):
            *lines, self._rest = (self._rest + self.program.read()).split(b"\n")
            for message in map(json.loads, lines):
                if "method" in message:
                    continue
                if "error" in message:
                    raise RuntimeError(str(message["error"]))
                results[message["id"]] = message["result"]
        return [results[first + number] for number in range(len(asked))]

    def write(self, data: bytes) -> None:
        """Write all of it."""
        view = memoryview(data)
        while view:
            view = view[os.write(self.program.stdin, view) :]


class Chats(Protocol):
    """Many sessions behind one program, by their ids."""

    program: Program

    def begin(self, count: int) -> list[str]:
        """Begin so many sessions."""
        ...

    def chat(self, chatting: Sequence[str], ending: Sequence[str]) -> None:
        """Have one turn in each that chats, and end each that ends, all at once."""
        ...


class Editor:
    """Implements `Chats` over ACP."""

    def __init__(self, program: Program, cwd: Path, servers: Sequence[Mapping[str, Any]] = ()) -> None:
        """Wait until it has answered `initialize`; each session gets those MCP servers."""
        self.program = program
        self._asking = Asking(program)
        self._params = {"cwd": str(cwd), "mcpServers": list(servers)}
        self._asking.ask([("initialize", {"protocolVersion": 1, "clientCapabilities": {}})])

    def begin(self, count: int) -> list[str]:
        """See `Chats`."""
        return [told["sessionId"] for told in self._asking.ask([("session/new", self._params)] * count)]

    def sessions(self) -> list[Any]:
        """What is stored, the first page."""
        sessions: list[Any] = self._asking.ask([("session/list", {})])[0]["sessions"]
        return sessions

    def open(self, method: str, session: str) -> None:
        """Go on with a recorded session, by `session/load` or `session/resume`; what is shown is read and dropped."""
        self._asking.ask([(method, {**self._params, "sessionId": session})])

    def chat(self, chatting: Sequence[str], ending: Sequence[str], *, updates: int = 1) -> None:
        """See `Chats`; each turn has so many updates."""
        prompt = [{"type": "text", "text": str(updates)}]
        asked: list[Asked] = [("session/prompt", {"sessionId": session, "prompt": prompt}) for session in chatting]
        asked += [("session/close", {"sessionId": session}) for session in ending]
        self._asking.ask(asked)


class Host:
    """Implements `Chats` over MCP, in the handshake era."""

    def __init__(self, program: Program) -> None:
        """Wait until it has answered `initialize`."""
        self.program = program
        self._asking = Asking(program)
        about = {"name": "benchmark", "version": "1"}
        opening = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": about}
        self._asking.ask([("initialize", opening)])
        self._asking.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')

    def begin(self, count: int) -> list[str]:
        """See `Chats`."""
        return [told["id"] for told in self.call([("kiro_session_create", {})] * count)]

    def chat(self, chatting: Sequence[str], ending: Sequence[str]) -> None:
        """See `Chats`; each that ends is made the active one before."""
        calls: list[Asked] = [("kiro_chat", {"message": "1", "session_id": session}) for session in chatting]
        for session in ending:
            calls += [(tool, {"session_id": session}) for tool in ("kiro_session_switch", "kiro_session_end")]
        self.call(calls)

    def call(self, calls: Sequence[Asked]) -> list[Any]:
        """What calls of tools return, all at once.

        Raises:
            RuntimeError: one failed.

        """
        told = self._asking.ask([("tools/call", {"name": tool, "arguments": given}) for tool, given in calls])
        if failed := [each for each in told if each.get("isError")]:
            raise RuntimeError(str(failed[0]["structuredContent"]))
        return [each["structuredContent"] for each in told]
