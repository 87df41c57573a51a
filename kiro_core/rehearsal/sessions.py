"""The session methods: make, continue, choose, prompt, cancel, close."""

from __future__ import annotations

import itertools
import os
import time
from argparse import Namespace
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from kiro_core.rehearsal import prompt
from kiro_core.rehearsal.session import MODELS, Session
from kiro_core.rehearsal.turn import Turn
from kiro_core.rehearsal.wire import Fault, Wire

if TYPE_CHECKING:
    from kiro_core.rehearsal.memory import Memory

Params = dict[str, Any]
Answer = dict[str, Any]
Later = Callable[[], Answer]
"""An answer that takes its time: it is made in a thread, and the next message is read meanwhile."""
Method = Callable[[Params], Answer | Later]


class Sessions:
    """All sessions of one process; `methods` holds what the command line offers."""

    def __init__(self, wire: Wire, options: Namespace) -> None:
        """Begin with none."""
        self._wire = wire
        self._options = options
        self._memory = _opened(options.memory) if options.memory else None
        self._live: dict[str, Session] = {}
        self._numbers = itertools.count(1)
        self.methods: dict[str, Method] = {
            "session/new": self._new,
            "session/prompt": self._prompt,
            "session/close": self._close,
        }
        if not options.no_config_options:
            self.methods["session/set_config_option"] = self._configure
        if options.modes:
            self.methods["session/set_mode"] = self._set_mode
        if self._memory:
            self.methods["session/load"] = partial(self._open, self._memory, replay=True)
            self.methods["session/resume"] = partial(self._open, self._memory, replay=False)

    def cancel(self, params: Params) -> None:
        """Cancel the turn that runs, if any."""
        session = self._live.get(str(params.get("sessionId")))
        if session and (turn := session.turn):
            turn.cancel()

    def _new(self, _: Params) -> Answer | Later:
        name = f"rehearsal-{next(self._numbers)}-{os.getpid()}"
        mode = next(iter(self._options.modes), "")
        session = Session(name, MODELS[0], mode, [] if self._memory else None)
        return partial(self._begin_late, session) if self._options.start_delay else self._begin(session)

    def _begin_late(self, session: Session) -> Answer:
        time.sleep(self._options.start_delay)
        return self._begin(session)

    def _begin(self, session: Session) -> Answer:
        for name, state in self._options.mcp:
            server = {"sessionId": session.id, "serverName": name}
            if state == "initialized":
                self._wire.notify("_kiro.dev/mcp/server_initialized", server)
            elif state == "failed":
                failure = {**server, "error": "The rehearsal agent was told to report a failure."}
                self._wire.notify("_kiro.dev/mcp/server_init_failure", failure)
        self._live[session.id] = session
        self._save(session)
        return {"sessionId": session.id, **self._choices(session)}

    def _open(self, memory: Memory, params: Params, *, replay: bool) -> Later:
        name = str(params.get("sessionId"))
        session = self._live.get(name) or memory.load(name)
        if session is None:
            raise _unknown(name)
        self._live[name] = session
        return partial(self._replay, session, list(session.history or ()) if replay else [])

    def _replay(self, session: Session, history: list[Params]) -> Answer:
        for update in history:
            self._wire.notify("session/update", {"sessionId": session.id, "update": update})
        return self._choices(session)

    def _prompt(self, params: Params) -> Later:
        session = self._session(params)
        if session.turn:
            raise Fault(-32600, f"The session {session.id} has a turn that runs; cancel it or wait for it.")
        session.turn = Turn(self._wire, session, prompt.text_of(params.get("prompt")))
        return partial(self._run, session, session.turn)

    def _run(self, session: Session, turn: Turn) -> Answer:
        try:
            return prompt.run(turn)
        finally:
            session.turn = None
            self._save(session)

    def _configure(self, params: Params) -> Answer:
        session = self._session(params)
        if params.get("configId") != "model" or params.get("value") not in MODELS:
            raise Fault(-32602, f"The only option is 'model', with one of {', '.join(MODELS)}.")
        session.model = params["value"]
        self._save(session)
        return self._choices(session)

    def _set_mode(self, params: Params) -> Answer:
        session = self._session(params)
        if params.get("modeId") not in self._options.modes:
            raise Fault(-32602, f"The modes are {', '.join(self._options.modes)}.")
        session.mode = params["modeId"]
        self._save(session)
        return {}

    def _close(self, params: Params) -> Answer:
        session = self._session(params)
        self.cancel(params)
        del self._live[session.id]
        return {}

    def _session(self, params: Params) -> Session:
        name = str(params.get("sessionId"))
        if name not in self._live:
            raise _unknown(name)
        return self._live[name]

    def _choices(self, session: Session) -> Answer:
        return session.choices(self._options.modes, models=not self._options.no_config_options)

    def _save(self, session: Session) -> None:
        if self._memory:
            self._memory.save(session)


def _opened(folder: str) -> Memory:
    from kiro_core.rehearsal.memory import Memory  # its imports would double the start of an agent without one

    return Memory(folder)


def _unknown(name: str) -> Fault:
    return Fault(-32002, f"There is no session {name!r}.")
