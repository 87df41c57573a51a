"""What binds a session that another one started: the sessions above it as they are now, else as they were."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from kiro_core.dispatcher.backends import Backends
from kiro_core.dispatcher.remembered import usable
from kiro_core.errors import RecordInvalid, SessionNotFound
from kiro_core.policy import Policy, compile_policy
from kiro_core.recovery import recorded
from kiro_core.session import Session
from kiro_core.types import RUN, AgentConfig, SessionId, SessionInfo

_FIELDS = ("tools", "toolAliases", "allowedTools", "excludedTools", "toolsSettings", "permissions")
"""What of an agent configuration decides over tools."""

Live = Callable[[str], Session | None]
"""Finds a session that is live, by its id; also called in worker threads."""


class Bound(msgspec.Struct, frozen=True):
    """What a session may do, as values that outlive it: all that its policy is compiled from but flags and settings.

    `servers` has the disabled and the approved tools of MCP servers by their names. A run of a crew has no rules of its
    own and does not bind (`binds`): it stands between a session that asked for it and what that one is bound by.
    """

    session: str
    cwd: str = os.sep
    roots: tuple[str, ...] = ()
    fields: Mapping[str, Any] = {}
    servers: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {}
    answers: tuple[Mapping[str, Any], ...] = ()
    binds: bool = True

    @classmethod
    def of(cls, info: SessionInfo, config: AgentConfig, servers: Mapping[str, Any]) -> Bound:
        """That of a session with this configuration."""
        fields = {name: value for name, value in config.fields.items() if name in _FIELDS}
        return cls(info.id, info.cwd, info.roots, fields, servers, info.answers)


class Above:
    """The policy of one session above: while it is live that which it has, then that which it had last."""

    def __init__(self, session: str, live: Live, known: Policy) -> None:
        """Before it was ever live it is the `known` one."""
        self._name = session
        self._live = live
        self._known = known
        self._session: Session | None = None

    def __call__(self) -> Policy | None:
        """Look it up."""
        self._session = self._live(self._name) or self._session
        return self._known if self._session is None else self._session.plan.policy


class Inheriting:
    """Finds what binds the sessions of a desk from above."""

    def __init__(self, backends: Backends) -> None:
        """Look for records in the backends' store; `live` is the desk's, once there is one."""
        self.live: Live = lambda _: None
        self._backends = backends

    async def bounds(self, info: SessionInfo) -> Sequence[Bound]:
        """Those of all sessions above, the nearest first; each once, also where a record makes them a circle."""
        kept = {bound.session: bound for bound in _kept(info)}
        after = dict(zip(kept, [*kept][1:], strict=False))
        found: dict[str, Bound] = {}
        name = info.parent
        while name and name != info.id and name not in found:
            found[name], parent = await self._bound(name, kept.get(name))
            name = parent if parent is not None else after.get(name, "")
        return list(found.values())

    async def inherited(self, info: SessionInfo) -> tuple[Mapping[str, Any], ...]:
        """`SessionInfo.inherited` of a session that begins now."""
        return tuple(msgspec.structs.asdict(bound) for bound in await self.bounds(info))

    async def parent(self, info: SessionInfo) -> Callable[[], Policy | None]:
        """Looks up the policy of the session above, which looks up that of the next."""
        parent: Callable[[], Policy | None] = _nobody
        for bound in reversed([each for each in await self.bounds(info) if each.binds]):
            known = compile_policy(
                AgentConfig(bound.session, fields=bound.fields),
                cwd=bound.cwd,
                roots=bound.roots,
                operator=self._backends.settings.permissions,
                servers=bound.servers,
                answers=usable(bound.answers)[0],
                parent=parent,
            )
            parent = Above(bound.session, self.live, known)
        return parent

    async def _bound(self, name: str, kept: Bound | None) -> tuple[Bound, str | None]:
        """That of one session and the id of the next; None for the next where nothing is left of this one.

        Where its record is gone or is somebody else's, what was `kept` when the child began counts.
        """
        live = self.live(name)
        if live is not None:
            info = live.metadata.info if live.ready else live.plan.info
            return Bound.of(info, live.plan.config, live.plan.server_tools), info.parent
        store = self._backends.store
        try:
            info = await store.get(SessionId(name))
            before = None if info.imported else await recorded(partial(store.read, info.id), info)
        except (SessionNotFound, RecordInvalid):
            return kept or Bound(name), None
        if info.kind == RUN and not info.imported:
            return Bound(name, info.cwd, info.roots, binds=False), info.parent
        if before is None:
            return kept or Bound(name, info.cwd, info.roots, answers=info.answers), info.parent
        return Bound.of(info, before.config, before.server_tools), info.parent


def ancestors(info: SessionInfo, live: Live) -> Sequence[Session]:
    """The live sessions above one, the nearest first; each once, also where a record makes them a circle."""
    seen, names = {str(info.id)}, _names(info)
    found: list[Session] = []
    while names:
        name = names.pop(0)
        if name in seen:
            continue
        seen.add(name)
        if (session := live(name)) is not None:
            found.append(session)
            names = [*_names(session.plan.info), *names]
    return found


def binding(info: SessionInfo) -> int:
    """How many sessions bind one from above; runs do not."""
    return sum(bound.binds for bound in _kept(info))


def _names(info: SessionInfo) -> list[str]:
    return [name for name in (info.parent, *(bound.session for bound in _kept(info))) if name]


def _kept(info: SessionInfo) -> Sequence[Bound]:
    try:
        return [msgspec.convert(each, Bound) for each in info.inherited]
    except msgspec.ValidationError as error:
        raise RecordInvalid(
            f"What the session {info.id} inherits cannot be read: {error}",
            hint="Start a new session, or mend the field `inherited` of its metadata.",
        ) from error


def _nobody() -> Policy | None:
    return None
