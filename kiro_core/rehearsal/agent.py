"""The agent's side of ACP version 1: every request is answered, and nothing else is."""

from __future__ import annotations

import threading
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from kiro_core.rehearsal import lifetime
from kiro_core.rehearsal.answers import Answer, Later, Method, Params, Reply
from kiro_core.rehearsal.choosing import Choosing
from kiro_core.rehearsal.greeting import greeting
from kiro_core.rehearsal.login import Login
from kiro_core.rehearsal.opening import Opening, never
from kiro_core.rehearsal.profile import Profile
from kiro_core.rehearsal.sessions import Sessions
from kiro_core.rehearsal.wire import Fault, Wire


class RehearsalAgent:
    """Reads the client's messages and answers them; what takes its time is answered from a thread."""

    def __init__(self, wire: Wire, profile: Profile, options: Namespace) -> None:
        """Serve `wire` as an agent of this kind."""
        self._wire = wire
        self._profile = profile
        self._options = options
        self._login = Login(wire, profile, options)
        sessions = Sessions(wire, profile, options)
        own = profile.methods(sessions)
        self._methods: dict[str, Method] = {
            "initialize": self._initialize,
            **self._login.methods,
            **Opening(sessions, self._login, options).methods,
            **Choosing(sessions).methods,
            **sessions.methods,
            **own,
        }
        self._told: dict[str, Callable[[Params], Any]] = {"session/cancel": sessions.cancel, **own}

    def serve(self) -> None:
        """Answer until stdin ends; unknown notifications are dropped, as ACP wants it."""
        for message in self._wire.messages():
            given = message.get("params")
            params = given if isinstance(given, dict) else {}
            if "id" in message:
                self._respond(message["id"], partial(self._call, message["method"], params))
            else:
                self._hear(message["method"], params)

    def _hear(self, method: Any, params: Params) -> None:
        if isinstance(method, str) and method in self._told:
            with suppress(Fault):  # nobody waits for an answer
                self._told[method](params)

    def _respond(self, request: Any, call: Callable[[], Answer | Reply | Later]) -> None:
        try:
            answer = call()
        except Fault as fault:
            self._wire.fail(request, fault)
        except Exception as error:  # noqa: BLE001 - a boundary: no request goes unanswered
            self._wire.fail(request, Fault(-32603, f"The rehearsal agent has failed: {error!r}."))
        else:
            if callable(answer):
                threading.Thread(target=self._respond, args=(request, answer), daemon=True).start()
                return
            reply = answer if isinstance(answer, Reply) else Reply(answer)
            self._wire.answer(request, reply.answer)
            reply.then()

    def _call(self, method: str, params: Params) -> Answer | Reply | Later:
        if method == self._options.hang_at:
            return never
        if self._options.die_at and method == self._options.die_at[0]:
            lifetime.die(int(self._options.die_at[1]), f"at {method}")
        if method not in self._methods:
            raise Fault(-32601, f"The rehearsal agent has no method {method!r}.")
        return self._methods[method](params)

    def _initialize(self, params: Params) -> Answer | Later:
        self._wire.client = params
        greet = partial(greeting, self._wire, self._profile, self._login.offered())
        return partial(_late, self._options.initialize_delay, greet) if self._options.initialize_delay else greet()


def _late(seconds: float, answer: Callable[[], Answer]) -> Answer:
    time.sleep(seconds)
    return answer()
