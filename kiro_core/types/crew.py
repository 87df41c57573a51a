"""How a session that another one spawned stands."""

from __future__ import annotations

from dataclasses import dataclass

from kiro_core.types.sessions import SessionId


@dataclass(frozen=True, slots=True)
class Member:
    """A session that another one spawned, below it in the crew; times are RFC 3339 in UTC.

    `name` is unique in its tree, `group` the one that it is in, or empty, and `task` what it was given last.
    `depends_on` are the ids of members of the same tree: it begins when they have settled. A `persistent` one goes on
    when its task is done, until somebody ends it. `depth` counts the sessions above it.

    `status` is "blocked" (its task waits to begin), "working" (it is being opened, or a turn runs), "idle" (it is open
    and nothing runs) or "terminated" (it is not open). `doing` is a line: what it does at the moment or waits for,
    empty where nobody can say. `outcome` of its task is empty until that has settled, then "succeeded", "failed",
    "timed_out", "cancelled" or "unknown" (it was cut off, and nobody knows how far it came), and `result` what it came
    to, or what failed. `active` is when something was heard of it last, `unread` how many letters it has not read.
    """

    session: SessionId
    name: str
    parent: SessionId
    task: str
    status: str
    created: str
    active: str
    role: str = ""
    group: str = ""
    agent: str = ""
    engine: str = ""
    depends_on: tuple[SessionId, ...] = ()
    persistent: bool = False
    doing: str = ""
    outcome: str = ""
    result: str = ""
    unread: int = 0
    depth: int = 1
