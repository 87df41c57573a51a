"""Shows who spawned whom: sessions with their members, and runs with their stages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import session_ids
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given, command
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.text import one_line, show

if TYPE_CHECKING:
    from kiro_core.dispatcher import Dispatcher
    from kiro_core.types import SessionInfo

_SHORT = 8
_LONGEST = 60
_UNITS = (("d", 86_400), ("h", 3600), ("min", 60))


@dataclass(slots=True)
class Node:
    """A session, or a stage that has none; `state` is what came of its task, or "open" where somebody has it open.

    Of a run it is its outcome, and of each attempt of a stage what became of that: "sent back" where it succeeded and
    a loop had it done again.
    """

    session: str
    name: str
    kind: str = ""
    agent: str = ""
    engine: str = ""
    state: str = ""
    updated: str = ""
    below: list[Node] = field(default_factory=list)


@click.command(epilog=example("kiro-core sessions tree", "kiro-core sessions tree 3f2a --json"))
@click.argument("session", metavar="[ID]", required=False, default="", shell_complete=session_ids)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array with an object for each session at the top.")
@command
def tree(given: Given, *, session: str, as_json: bool) -> int:
    """Show which sessions a session has spawned, and the stages of runs; without ID, of all sessions that have any."""
    nodes = at_desk(given, partial(_found, session))
    if as_json:
        show(json.dumps([asdict(node) for node in nodes], indent=2) + "\n")
    else:
        show("".join(f"{line}\n" for node in nodes for line in _lines(node, 0, datetime.now(UTC))))
    return DONE


async def _found(written: str, desk: Dispatcher) -> Sequence[Node]:
    from kiro_core.cli.finding import all_sessions, find_session
    from kiro_core.types import SessionQuery

    top = (await find_session(desk, written)).id if written else ""
    infos = {str(info.id): info async for info in all_sessions(desk, SessionQuery())}
    growing = _Growing(desk, infos)
    if top:
        return [await growing.node(top)]
    tops = [name for name, info in infos.items() if info.parent not in infos]
    return [node for node in [await growing.node(name) for name in tops if growing.has_below(name)] if node.below]


class _Growing:
    """Makes nodes of what is on record; each session is in the tree once, whatever its metadata say."""

    def __init__(self, desk: Dispatcher, infos: Mapping[str, SessionInfo]) -> None:
        self._desk = desk
        self._infos = infos
        self._seen: set[str] = set()
        self._children: dict[str, list[str]] = {}
        for name, info in infos.items():
            self._children.setdefault(info.parent, []).append(name)

    def has_below(self, name: str) -> bool:
        """Whether there is anything to show."""
        info = self._infos[name]
        return bool(self._children.get(name) or info.crew.get("members") or info.kind)

    async def node(self, name: str, outcome: str = "", called: str = "") -> Node:
        """One session with all below it."""
        from kiro_core.types import RUN

        info = self._infos[name]
        self._seen.add(name)
        node = Node(name, called or info.name or info.title, info.kind, info.agent, info.engine, updated=info.updated)
        if info.kind == RUN:
            await self._stages(node)
        else:
            node.state = outcome
        if info.kind != RUN and await self._desk.holder(info.id):
            node.state = "open"
        told = {str(each.get("session")): each for each in _members(info)}
        for child in sorted(self._children.get(name, ()), key=lambda child: self._infos[child].created):
            if child not in self._seen:
                about = told.get(child, {})
                # One without an outcome that nobody has open was cut off.
                outcome = str(about.get("outcome") or "unknown") if about else ""
                node.below.append(await self.node(child, outcome, str(about.get("name", ""))))
        absent = (each for child, each in told.items() if child not in self._infos)
        node.below += [
            Node("", str(each.get("name", "")), state=str(each.get("outcome") or "waiting")) for each in absent
        ]
        return node

    async def _stages(self, node: Node) -> None:
        """The attempts of each stage of a run, their sessions with all below them."""
        from kiro_core.errors import KiroError
        from kiro_core.types import SessionId

        try:
            report = await self._desk.crew.report(SessionId(node.session))
        except KiroError as error:
            node.state = str(error)
            return
        node.state = report["outcome"]
        for stage in report["stages"]:
            for name, session, state in _attempts(stage):
                if session in self._infos and session not in self._seen:
                    node.below.append(await self.node(session, state, name))
                else:
                    node.below.append(Node("", name, "stage", state=state))


def _attempts(stage: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What each attempt of a stage is called, its session, and what became of it; one without, before the first."""
    attempts, state = stage["attempts"], stage["outcome"] or stage["phase"]
    if not attempts:
        yield stage["id"], "", state
    for attempt in attempts:
        name = stage["id"] if len(attempts) == 1 else f"{stage['id']} (attempt {attempt['number']})"
        became = "sent back" if attempt["outcome"] == "succeeded" else attempt["outcome"]
        is_last = attempt is attempts[-1] and state != "waiting"
        yield name, attempt["session"], state if is_last else became


def _members(info: SessionInfo) -> list[Mapping[str, Any]]:
    members = info.crew.get("members")
    return [each for each in members if isinstance(each, Mapping)] if isinstance(members, list) else []


def _lines(node: Node, depth: int, now: datetime) -> Iterator[str]:
    """One line for each session, as far to the right as it is below."""
    from kiro_core.cli.crew.lines import outcome_words, worded

    what = " with ".join(filter(None, [node.agent, node.engine]))
    name = one_line(node.name)[:_LONGEST] or "(no name)"
    state = one_line((outcome_words if node.kind == "run" else worded)(node.state))
    parts = [node.session[:_SHORT], name, node.kind, what, state, _age(node.updated, now)]
    yield "  " * depth + "  ".join(filter(None, parts))
    for each in node.below:
        yield from _lines(each, depth + 1, now)


def _age(written: str, now: datetime) -> str:
    """How long ago that was, in its greatest unit."""
    try:
        seconds = int((now - datetime.fromisoformat(written)).total_seconds())
    except (ValueError, TypeError):
        return ""
    return next((f"{seconds // size} {unit} ago" for unit, size in _UNITS if seconds >= size), "now")
