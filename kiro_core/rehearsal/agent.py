"""The agent's side of ACP version 1: what it says of itself, and that every request is answered."""

from __future__ import annotations

import threading
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from typing import Any

from kiro_core.rehearsal import lifetime
from kiro_core.rehearsal.sessions import Answer, Later, Method, Params, Sessions
from kiro_core.rehearsal.wire import Fault, Wire


class RehearsalAgent:
    """Reads the client's messages and answers them; what takes its time is answered from a thread."""

    def __init__(self, wire: Wire, options: Namespace) -> None:
        """Serve `wire` as the command line says."""
        self._wire = wire
        self._options = options
        self._sessions = Sessions(wire, options)
        self._methods: dict[str, Method] = {"initialize": self._initialize, **self._sessions.methods}

    def serve(self) -> None:
        """Answer until stdin ends; unknown notifications are dropped, as ACP wants it."""
        for message in self._wire.messages():
            given = message.get("params")
            params = given if isinstance(given, dict) else {}
            if "id" in message:
                self._respond(message["id"], partial(self._call, message["method"], params))
            elif message["method"] == "session/cancel":
                self._sessions.cancel(params)

    def _respond(self, request: Any, call: Callable[[], Answer | Later]) -> None:
        try:
            answer = call()
        except Fault as fault:
            self._wire.fail(request, fault)
        except Exception as error:  # noqa: BLE001 - a boundary: no request goes unanswered
            self._wire.fail(request, Fault(-32603, f"The rehearsal agent has failed: {error!r}."))
        else:
            if callable(answer):
                threading.Thread(target=self._respond, args=(request, answer), daemon=True).start()
            else:
                self._wire.answer(request, answer)

    def _call(self, method: str, params: Params) -> Answer | Later:
        if method == self._options.hang_at:
            return _never
        if self._options.die_at and method == self._options.die_at[0]:
            lifetime.die(int(self._options.die_at[1]), f"at {method}")
        if method not in self._methods:
            raise Fault(-32601, f"The rehearsal agent has no method {method!r}.")
        return self._methods[method](params)

    def _initialize(self, _: Params) -> Answer:
        keeps = bool(self._options.memory)
        return {
            "protocolVersion": 1,
            "agentInfo": {"name": "rehearsal", "title": "Rehearsal agent", "version": "1"},
            "agentCapabilities": {
                "loadSession": keeps,
                "promptCapabilities": {"image": False, "audio": False, "embeddedContext": True},
                "mcpCapabilities": {"http": False, "sse": False},
                "sessionCapabilities": {"close": {}, "resume": {}} if keeps else {"close": {}},
            },
            "authMethods": [],
        }


def _never() -> Answer:
    threading.Event().wait()
    return {}
