"""Tells the clients of a tree what becomes of its members, in Kiro's own notifications."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from anyio.abc import TaskGroup
from anyio.lowlevel import checkpoint

from kiro_core.frames import Frame
from kiro_core.journal import utc_now
from kiro_core.notices import MEMBERS

if TYPE_CHECKING:
    from kiro_core.crew.ground import Ground
    from kiro_core.crew.running import Run
    from kiro_core.crew.stages import Stage
    from kiro_core.types import Member, SessionId, StageView

_EXCERPT = 100

ACTIVITY = "_kiro.dev/session/activity"

_STATUS = {"blocked": "working", "working": "working", "idle": "awaitingInstruction", "terminated": "terminated"}


class News:
    """Shows the session at the top of a tree who is in it, once for all that changes at a time.

    `look` gives the members of a tree and the runs in it.
    """

    def __init__(
        self,
        ground: Ground,
        tasks: TaskGroup,
        look: Callable[[SessionId], tuple[Sequence[Member], Sequence[Run]]],
        root: Callable[[SessionId], SessionId],
    ) -> None:
        """Tell nothing yet."""
        self._ground = ground
        self._tasks = tasks
        self._look = look
        self._root = root
        self._due: set[SessionId] = set()
        self._told: dict[SessionId, dict[str, Any]] = {}

    def changed(self, root: SessionId) -> None:
        """Something in a tree is different."""
        if root not in self._due:
            self._due.add(root)
            self._tasks.start_soon(self._tell, root)

    def latest(self, session: SessionId) -> list[Frame]:
        """For a client that comes to the session at the top of a tree: who is in that, as all others were told."""
        told = self._told.get(session)
        return [] if told is None else [Frame.of(MEMBERS, {"sessionId": session, **told})]

    def activity(self, session: SessionId, kind: str, name: str, text: str, before: str = "") -> None:
        """Something happened: "spawned" or "message"; `name` is whose doing it is, or who it is about.

        It is described by what stands `before`, and the beginning of a text.
        """
        live = self._ground.live(self._root(session))
        if live is not None:
            excerpt = str(live.filtered(text))[:_EXCERPT]
            told = {"type": kind, "sessionName": name, "description": before + excerpt, "timestamp": utc_now()}
            live.show([Frame.of(ACTIVITY, {"sessionId": live.id, **told})])

    async def _tell(self, root: SessionId) -> None:
        await checkpoint()
        self._due.discard(root)
        live = self._ground.live(root)
        if live is None:
            self._told.pop(root, None)
            return
        members, runs = self._look(root)
        told = listed(members, runs)
        if told != self._told.get(root, listed([], [])):
            self._told[root] = told
            live.show([Frame.of(MEMBERS, {"sessionId": root, **told})])


def listed(members: Sequence[Member], runs: Sequence[Run]) -> dict[str, Any]:
    """The params of `MEMBERS`: who works or has worked, and the stages of runs that have not begun."""
    stages = [(run.keeping.past.schedule.crew.name, stages) for run in runs for stages in _stages(run)]
    return {
        "subagents": [
            *map(_member, members),
            *(_working(name, stage, view) for name, (stage, view) in stages if view.session),
        ],
        "pendingStages": [
            _pending(name, stage) for name, (stage, view) in stages if not (view.session or view.outcome)
        ],
    }


def _member(member: Member) -> dict[str, Any]:
    status = {"type": _STATUS[member.status]}
    if member.status == "blocked":
        status["message"] = member.doing
    return {
        "sessionId": member.session,
        "sessionName": member.name,
        "agentName": member.agent,
        "initialQuery": member.task,
        "status": status,
        **{key: value for key, value in (("group", member.group), ("role", member.role)) if value},
        "dependsOn": list(member.depends_on),
    }


def _stages(run: Run) -> Iterator[tuple[Stage, StageView]]:
    return zip(run.keeping.past.schedule.crew.stages, run.view().stages, strict=True)


def _working(crew: str, stage: Stage, view: StageView) -> dict[str, Any]:
    return {
        "sessionId": view.session,
        "sessionName": stage.id,
        "agentName": stage.agent,
        "initialQuery": stage.prompt,
        "status": {"type": "working" if view.phase == "running" else "terminated"},
        "group": crew,
        "dependsOn": list(stage.depends_on),
    }


def _pending(crew: str, stage: Stage) -> dict[str, Any]:
    return {
        "name": stage.id,
        "role": stage.agent,
        "group": crew,
        "dependsOn": list(stage.depends_on),
        "agentName": stage.agent,
    }
