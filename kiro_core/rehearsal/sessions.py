"""The sessions of one process, and the methods that use them: prompt, cancel, list, close, delete."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from kiro_core.rehearsal.answers import Answer, Later, Method, Params, Reply
from kiro_core.rehearsal.features import KEEPING
from kiro_core.rehearsal.profile import Profile
from kiro_core.rehearsal.session import Session
from kiro_core.rehearsal.wire import Fault, Wire

if TYPE_CHECKING:
    from kiro_core.rehearsal.memory import Memory
    from kiro_core.rehearsal.shelf import Shelf
    from kiro_core.rehearsal.turn import Turn


class Sessions:
    """All sessions of one process; `live` are those that are open, by id."""

    def __init__(self, wire: Wire, profile: Profile, options: Namespace) -> None:
        """Begin with none that is open."""
        self.wire = wire
        self.profile = profile
        self.memory: Final = _opened(profile, options.memory)
        self.live: dict[str, Session] = {}
        self.methods: dict[str, Method] = {"session/prompt": self._prompt}
        offered = {"session/close": self._close, "session/list": self._list, "session/delete": self._delete}
        self.methods.update({name: does for name, does in offered.items() if profile.has(name.partition("/")[2])})

    def make(self, name: str, params: Params) -> Session:
        """A session that is not open yet."""
        return Session(name, self.profile, params, keeps=self.memory is not None)

    def get(self, params: Params) -> Session:
        """The open session that the params name."""
        name = str(params.get("sessionId"))
        if name not in self.live:
            raise self.profile.unknown(name)
        return self.live[name]

    def save(self, session: Session) -> None:
        """Keep it, where anything is kept."""
        if self.memory:
            self.memory.save(session.id, session.body())

    def cancel(self, params: Params) -> None:
        """Cancel the turn that runs, if any."""
        session = self.live.get(str(params.get("sessionId")))
        if session and (turn := session.turn):
            turn.cancel()

    def end(self, params: Params) -> None:
        """Close the session that the params name, if it is open."""
        self.cancel(params)
        self.live.pop(str(params.get("sessionId")), None)

    def kept(self, params: Params) -> list[dict[str, Any]]:
        """What is kept of every session of `params.cwd`, else of every session; the newest first."""
        bodies = self.memory.bodies() if self.memory else []
        found = [body for body in bodies if params.get("cwd") in {None, body["info"]["cwd"]}]
        return sorted(found, key=lambda body: str(body["info"]["updatedAt"]), reverse=True)

    def _prompt(self, params: Params) -> Later:
        session = self.get(params)
        if session.turn:
            raise Fault(self.profile.busy, f"The session {session.id} has a turn that runs; cancel it or wait for it.")
        from kiro_core.rehearsal.turn import Turn  # with all directives behind it; a start need not wait for them

        session.turn = Turn(self.wire, session, params.get("prompt"))
        session.title = session.title or session.turn.text.partition("\n")[0][:80]
        return partial(self._run, session, session.turn)

    def _run(self, session: Session, turn: Turn) -> Reply:
        from kiro_core.rehearsal import prompt

        try:
            answer = prompt.run(turn)
        finally:
            session.turn = None
            self.save(session)
        return Reply(answer, partial(self.wire.update, session.id, *turn.afterwards()))

    def _list(self, params: Params) -> Answer:
        return {"sessions": [body["info"] for body in self.kept(params)]}

    def _close(self, params: Params) -> Answer:
        self.get(params)
        self.end(params)
        return {}

    def _delete(self, params: Params) -> Answer:
        self.end(params)
        if self.memory:
            self.memory.delete(str(params.get("sessionId")))
        return {}


def _opened(profile: Profile, folder: str | None) -> Memory | Shelf | None:
    if folder and not profile.forgetful:
        from kiro_core.rehearsal.memory import Memory  # its imports would double the start of an agent without one

        return Memory(folder)
    if KEEPING & profile.features:
        from kiro_core.rehearsal.shelf import Shelf

        return Shelf()
    return None
