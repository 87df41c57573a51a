"""What a session is, how sessions are listed and cleared away, and how the run of a crew stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, NewType, TypeVar

from kiro_core.types.usage import NO_USAGE, Usage

SessionId = NewType("SessionId", str)
"""Ours: a UUID in its canonical form. The agent's own id is kept beside it, never instead of it."""


T = TypeVar("T")


FORMAT = 1
"""The format of records and metadata that this program writes; a newer one is opened read-only."""


RUN = "run"
"""The kind of a session that is a crew's run."""


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session's metadata, one JSON object in the store; times are RFC 3339 in UTC.

    `kind` is empty for a conversation, and `RUN` for the record of a crew's run, which nobody can talk to.

    `roots` are the absolute paths of the folders that it may use besides `cwd` (ACP
    `additionalDirectories`); `name` is what a person calls it, unique among the sessions of a folder
    by the will of who gives it; `tags` are sorted and unique; `titled` tells that a person gave the
    title, which nothing that is observed replaces then; `spoken` that an agent has finished a turn.
    `mode` and `options` (values by id) are what was chosen of the agent program's own; the record behind
    the number `configured` has the whole configuration that `config_digest` names. `trashed` is when it was
    put into the trash, where nobody finds or opens it until somebody restores it; empty where it was not. `answers`
    are what a person has allowed or denied for the whole session, in the words of its policy; `inherited` is what
    bound each session above it when it began, the nearest first. `imported` is when it came out of an archive, whose
    records may be anybody's; empty where it did not. `crew` has the sessions that this one spawned:
    `{members: [{session, name, ...}], groups: [...]}`, see `kiro_core.crew.members.roster`.
    """

    id: SessionId
    cwd: str
    created: str
    updated: str
    title: str = ""
    agent: str = ""
    engine: str = ""
    model: str = ""
    agent_session: str = ""
    parent: str = ""
    config_digest: str = ""
    roots: tuple[str, ...] = ()
    name: str = ""
    tags: tuple[str, ...] = ()
    titled: bool = False
    spoken: bool = False
    mode: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    configured: int = 0
    trashed: str = ""
    answers: tuple[Mapping[str, Any], ...] = ()
    inherited: tuple[Mapping[str, Any], ...] = ()
    imported: str = ""
    kind: str = ""
    crew: Mapping[str, Any] = field(default_factory=dict)
    format: int = FORMAT


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions to list; an empty field matches all.

    `cwd` is the folder under any of its names, `name` the whole name, `tag` one of the tags. Those in the
    trash are listed with `trashed`, and then alone.
    """

    cwd: str = ""
    name: str = ""
    tag: str = ""
    trashed: bool = False


@dataclass(frozen=True, slots=True)
class PruneRule:
    """Which sessions go to the trash: those with the tag and of the folder that are named, if any is.

    The newest `keep` of them stay, and so does what was used within `older_than`. A rule that sets neither
    of these nor `tag` takes nothing: `cwd` alone only narrows.
    """

    older_than: timedelta = timedelta()
    keep: int = 0
    tag: str = ""
    cwd: str = ""

    def __bool__(self) -> bool:
        """Whether it takes anything."""
        return bool(self.older_than or self.keep or self.tag)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What pruning did with a session, or would do; the fields that it shares with `SessionInfo` are as there.

    `outcome` is "trashed", "deleted" (for good, after its time in the trash), or says why it was left alone,
    which `reason` has as a sentence: "held" (somebody has it open), "changed" (since it was looked at),
    "unreadable" and "failed" (the store could not do it). `until` is until when a trashed one can be
    restored at least.
    """

    session: SessionId
    outcome: str
    updated: str = ""
    cwd: str = ""
    name: str = ""
    title: str = ""
    until: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing; `cursor` is opaque and None on the last page.

    `damaged` are the ids of what cannot be read and is left out, the same on every page.
    """

    items: Sequence[T]
    cursor: str | None = None
    damaged: Sequence[SessionId] = ()


@dataclass(frozen=True, slots=True)
class StageView:
    """How far a stage of a run is; times are seconds since 1970.

    `phase` is "waiting", "running", "unknown" (it was cut off; once its run goes on it waits for a choice), "ended"
    (with an `outcome` that a loop may take back) or "settled". Of the last of its `attempts`: `started`, `ended` (None
    while it runs or where there was none), its child `session`, and `activity`, a line that says what it did last.
    `reason` is what failed in it, or the end of a sentence that says why the outcome is what it is. `usage` is that of
    all attempts that have ended.
    """

    id: str
    phase: str
    outcome: str = ""
    attempts: int = 0
    started: float | None = None
    ended: float | None = None
    session: str = ""
    activity: str = ""
    reason: str = ""
    usage: Usage = NO_USAGE


@dataclass(frozen=True, slots=True)
class RunView:
    """How a run of a crew stands: `outcome` as in its report.

    That is "running" until all its stages have settled, but "waiting" where nobody drives it, or all that is left waits
    for a choice. `live` tells that this desk drives it at this moment.
    """

    run: SessionId
    name: str
    outcome: str
    stages: Sequence[StageView]
    live: bool = False

    @property
    def done(self) -> bool:
        """Whether all its stages have settled."""
        return self.outcome not in ("running", "waiting")
