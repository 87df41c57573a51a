"""Which sessions a session has spawned, as its metadata tell, so that a crash loses none of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import anyio
import msgspec

from kiro_core.types import SessionId, SessionInfo

_MOST = 1000


class Kept(msgspec.Struct, omit_defaults=True):
    """What is on record of a member; `tasks` counts those that it was given, `outcome` is that of the last one."""

    session: SessionId
    name: str
    created: str
    task: str = ""
    role: str = ""
    group: str = ""
    agent: str = ""
    engine: str = ""
    model: str = ""
    persistent: bool = False
    depends_on: tuple[SessionId, ...] = ()
    tasks: int = 1
    outcome: str = ""


@dataclass(slots=True, eq=False)
class Entry:
    """A member as it is now; what its task came to is `kept` when its parent was told.

    `result` is None where it has to be looked up on the member's own record.
    """

    kept: Kept
    parent: SessionId
    outcome: str = ""
    result: str | None = None
    active: str = ""

    @property
    def session(self) -> SessionId:
        """Its id."""
        return self.kept.session

    @property
    def key(self) -> str:
        """What its record calls its task."""
        return f"task.{self.kept.tasks}"

    @property
    def letter(self) -> str:
        """The id of the letter that tells what its task came to.

        Where nobody knows that, somebody who does may tell it later.
        """
        return f"{self.session}:result:{self.kept.tasks}{':unknown' if self.outcome == 'unknown' else ''}"


@dataclass(slots=True, eq=False)
class Roster:
    """The members of one parent, in the order in which they were spawned, and the names of groups that it has made.

    `runs` are those for which it asked, and of which it was not told yet.
    """

    parent: SessionId
    entries: dict[SessionId, Entry] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    runs: list[SessionId] = field(default_factory=list)
    writing: anyio.Lock = field(default_factory=anyio.Lock)

    def to_json(self) -> dict[str, Any]:
        """`SessionInfo.crew`."""
        return {
            "members": [msgspec.to_builtins(entry.kept) for entry in self.entries.values()],
            "groups": list(self.groups),
            **({"runs": list(self.runs)} if self.runs else {}),
        }


def roster_of(info: SessionInfo) -> Roster:
    """What the metadata of a session say; what in them is none of ours is passed over."""
    members, groups = info.crew.get("members"), info.crew.get("groups")
    roster = Roster(info.id, groups=[name for name in _listed(groups) if isinstance(name, str)])
    roster.runs = [SessionId(run) for run in _listed(info.crew.get("runs")) if isinstance(run, str)]
    for kept in _kept(_listed(members)):
        if kept.session != info.id:
            roster.entries[kept.session] = Entry(kept, info.id, kept.outcome, active=kept.created)
    return roster


def _listed(value: Any) -> list[Any]:
    return value[:_MOST] if isinstance(value, list) else []


def _kept(members: Iterable[Any]) -> Iterable[Kept]:
    for member in members:
        try:
            if isinstance(member, Mapping) and (kept := msgspec.convert(member, Kept)).name:
                UUID(kept.session)
                yield kept
        except (msgspec.ValidationError, ValueError):
            continue
