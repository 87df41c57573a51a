"""The methods that open a session: new, load, resume."""

from __future__ import annotations

import itertools
import threading
import time
from argparse import Namespace
from functools import partial
from typing import Any

from kiro_core.rehearsal import lifetime
from kiro_core.rehearsal.answers import Answer, Later, Method, Params, Reply
from kiro_core.rehearsal.choosing import offered
from kiro_core.rehearsal.login import Login
from kiro_core.rehearsal.session import Session
from kiro_core.rehearsal.sessions import Sessions
from kiro_core.rehearsal.wire import Fault


def never() -> Answer:
    """Take for ever to answer."""
    threading.Event().wait()
    return {}


class Opening:
    """Opens sessions for a client that is logged in; `methods` holds what the profile offers."""

    def __init__(self, sessions: Sessions, login: Login, options: Namespace) -> None:
        """Add what is opened to `sessions`."""
        self._sessions = sessions
        self._wire = sessions.wire
        self._profile = sessions.profile
        self._login = login
        self._options = options
        self._numbers = itertools.count(1)
        self.methods: dict[str, Method] = {"session/new": self._new}
        if self._profile.has("load"):
            self.methods["session/load"] = partial(self._continue, replay=True)
        if self._profile.has("resume"):
            self.methods["session/resume"] = partial(self._continue, replay=False)

    def _new(self, params: Params) -> Reply | Later:
        self._check(params)
        session = self._sessions.make(self._profile.new_id(next(self._numbers)), params)
        begin = partial(self._begin, session, {"sessionId": session.id})
        return partial(self._begin_late, begin) if self._options.start_delay else begin()

    def _begin_late(self, begin: Later) -> Answer | Reply:
        time.sleep(self._options.start_delay)
        return begin()

    def _continue(self, params: Params, *, replay: bool) -> Later:
        self._check(params)
        name = str(params.get("sessionId"))
        session = self._sessions.live.get(name)
        if session is None:
            body = self._sessions.memory.load(name) if self._sessions.memory else None
            if body is None and (refusal := self._refuse(name)):
                return refusal
            session = self._sessions.make(name, params)
            if body:
                session.restore(body)
        session.params = params
        history = list(session.history or ()) if replay else []
        return partial(self._begin, session, {}, history)

    def _refuse(self, name: str) -> Later | None:
        """Do with an unknown id what the profile does: raise, end, hang, or None to go on as if it were known."""
        how = self._options.unknown_load or self._profile.on_unknown
        if how == "error":
            raise self._profile.unopened(name)
        if how == "exit":
            lifetime.die(0, "at a session that it does not know")
        return never if how == "hang" else None

    def _begin(self, session: Session, answer: Answer, history: list[Params] | None = None) -> Reply:
        self._sessions.live[session.id] = session
        self._sessions.save(session)
        states = self._states(session)
        for method, params in (*self._profile.greeting, *_announced(session, states)):
            self._wire.notify(method, params)
        self._wire.update(session.id, *(history or ()))
        return Reply(answer | offered(session, self._wire), partial(self._tell_opened, session, states))

    def _tell_opened(self, session: Session, states: dict[str, str]) -> None:
        for method, params in self._profile.opened(session, states):
            self._wire.notify(method, params)

    def _check(self, params: Params) -> None:
        self._login.demand()
        if not self._profile.has("lenient-cwd") and not str(params.get("cwd")).startswith("/"):
            raise Fault(-32602, f"The cwd must be an absolute path, not {params.get('cwd')!r}.")

    def _states(self, session: Session) -> dict[str, str]:
        """The state of each MCP server that is to be told."""
        given = (session.params.get("mcpServers") or ()) if self._profile.has("reports-mcp") else ()
        return {str(server["name"]): "initialized" for server in given} | dict(self._options.mcp)


def _announced(session: Session, states: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    failed = {"error": "The rehearsal agent was told to report a failure."}
    methods: dict[str, tuple[str, dict[str, Any]]] = {
        "initialized": ("_kiro.dev/mcp/server_initialized", {}),
        "failed": ("_kiro.dev/mcp/server_init_failure", failed),
    }
    told = [(name, *methods[state]) for name, state in states.items() if state in methods]
    return [(method, {"sessionId": session.id, "serverName": name, **more}) for name, method, more in told]
