"""Bring a session back as it was: its folder may have changed since, which is told and not followed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from anyio import to_thread

from kiro_core.agentconfig import BUILT_IN, Resolved, needs_trust
from kiro_core.ports import SessionStore
from kiro_core.recovery import Recorded, recorded
from kiro_core.trust import Trust
from kiro_core.types import AgentConfig, Engine, Notice, SessionInfo

_INCLUDING = ("includeMcpJson", "useLegacyMcpJson")
_IMPORTED = "of what came out of an archive only its prompt is used, with the servers and permissions of 'kiro_default'"


class Continued(NamedTuple):
    """What a session goes on with, and what its client has to be told of the difference.

    `from_record` says that the configuration stands in no file: an agent program that reads files by
    itself must not be told its name, since it would find another. `changed` says that another one than
    the recorded is used, and `servers` which MCP servers the session had, as far as that is known.
    `serving` is the configuration whose MCP servers it gets, where that is not the one that it goes on with.
    """

    resolved: Resolved
    notices: Sequence[Notice]
    servers: Sequence[str] | None = None
    from_record: bool = False
    changed: bool = False
    serving: AgentConfig | None = None


async def as_recorded(
    store: SessionStore, info: SessionInfo, resolved: Resolved, engine: Engine, *, trust: Trust
) -> Continued:
    """The agent configuration of the record, unless the client or the command line named one.

    A named one is used as it is today, and so is one that the agent program reads by itself from a file
    of which nothing is withheld; that it is another than before is told.
    """
    before = await recorded(partial(store.read, info.id), info)
    had = before.mcp_servers if before is not None else None
    if resolved.found and not _differs(resolved.config, info, before):
        return Continued(resolved, [], had)
    is_recorded = resolved.origin_of_choice == "record" and before is not None
    if is_recorded and before is not None and await _still_counts(before.config, info, resolved, engine, trust):
        config = _own_part(before.config) if info.imported else before.config
        told = [_drift(info.agent, _IMPORTED if info.imported else _goes_on(config, engine))]
        serving = _serving(config, resolved)
        resolved = replace(resolved, config=config, found=True, problems=(), untrusted=())
        return Continued(resolved, told, had, from_record=True, serving=serving)
    notices: list[Notice] = []
    if resolved.found and info.agent not in ("", resolved.config.name):
        notices.append(_another(resolved.config.name, info.agent))
    elif resolved.found:
        notices.append(_drift(resolved.config.name, "it is used as it is today"))
    return Continued(resolved, notices, had, changed=resolved.found)


async def _still_counts(
    config: AgentConfig, info: SessionInfo, resolved: Resolved, engine: Engine, trust: Trust
) -> bool:
    """Whether a session goes on with what its record says, and not with what there is today."""
    if info.imported:
        return not (resolved.untrusted or (resolved.found and resolved.config.digest))
    return not _by_itself(resolved, engine) and await _agreed(config, trust)


def _own_part(config: AgentConfig) -> AgentConfig:
    """What may be used of a record that came out of an archive: nothing that starts or allows anything."""
    return replace(BUILT_IN, name=config.name, prompt=config.prompt, model=config.model)


async def _agreed(config: AgentConfig, trust: Trust) -> bool:
    """Whether what a session was begun with may still be used: its folder's trust was not taken back."""
    if not config.workspace or not await to_thread.run_sync(needs_trust, config):
        return True
    folders = await to_thread.run_sync(trust.all)
    return await to_thread.run_sync(os.path.realpath, config.workspace) in folders


def _serving(config: AgentConfig, resolved: Resolved) -> AgentConfig:
    """Its MCP servers come from the file of today: no record has what may be secret in them.

    So it is that file, and no older one, to which somebody has to have agreed.
    """
    today = resolved.config if resolved.found else AgentConfig(config.name)
    fields = {name: config.fields[name] for name in _INCLUDING if name in config.fields}
    if servers := today.fields.get("mcpServers"):
        fields["mcpServers"] = servers
    return replace(today, name=config.name, fields=fields)


def _differs(now: AgentConfig, info: SessionInfo, before: Recorded | None) -> bool:
    """Whether it is another one; its prompt may stand in a file of its own, which the digest does not cover."""
    if info.agent not in ("", now.name):
        return True
    if before is None:
        return info.config_digest not in ("", now.digest)
    had = before.config
    return (now.digest, now.prompt, now.model) != (had.digest, had.prompt, had.model)


def _by_itself(resolved: Resolved, engine: Engine) -> bool:
    """Whether the agent program reads by itself what stands in a file today, and may."""
    config = resolved.config
    return resolved.found and engine.agents == "mode" and bool(config.digest) and not config.withheld


def _goes_on(config: AgentConfig, engine: Engine) -> str:
    if config.digest or config.prompt:
        return "the session goes on with the one that it had"
    return f"{engine.title or engine.name} is not told to use its own of that name, since a file could be read instead"


def _another(agent: str, before: str) -> Notice:
    sentence = f"The session goes on as '{agent}', no more as '{before}'."
    return Notice("agent_changed", sentence, severity="info", details={"agent": agent, "previousAgent": before})


def _drift(agent: str, what: str) -> Notice:
    sentence = f"The agent configuration '{agent}' is not the one that the session was begun with; {what}."
    return Notice("agent_drift", sentence, details={"agent": agent})


def servers_drift(had: Sequence[str] | None, now: Sequence[str]) -> list[Notice]:
    """What to say of MCP servers that a session had, and others that it goes on with."""
    if had is None or set(had) == set(now):
        return []
    sentence = f"The session had the MCP servers {_names(had)}, and goes on with {_names(now)}."
    details = {"missing": sorted(set(had) - set(now)), "added": sorted(set(now) - set(had))}
    return [Notice("mcp_drift", sentence, severity="info", details=details)]


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names)) or "(none)"
