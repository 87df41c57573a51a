"""Bring a session back as it was: its folder may have changed since, which is told and not followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from kiro_core.agentconfig import Resolved
from kiro_core.frames import Frame
from kiro_core.ports import SessionStore
from kiro_core.recovery import Recorded, recorded
from kiro_core.session import server_names
from kiro_core.types import AgentConfig, Engine, Notice, SessionInfo


class Continued(NamedTuple):
    """What a session goes on with, and what its client has to be told of the difference.

    `from_record` says that the configuration stands in no file: an agent program that reads files by
    itself must not be told its name, since it would find another. `changed` says that another one than
    the recorded is used.
    """

    resolved: Resolved
    notices: Sequence[Notice]
    from_record: bool = False
    changed: bool = False


async def as_recorded(
    store: SessionStore, info: SessionInfo, resolved: Resolved, engine: Engine, frame: Frame
) -> Continued:
    """The agent configuration of the record, unless the client or the command line named one.

    A named one is used as it is today, and so is one that the agent program reads by itself from a file
    of which nothing is withheld; that it is another than before is told.
    """
    before = await recorded(partial(store.read, info.id), info)
    notices = _servers(before, frame)
    if resolved.found and not _differs(resolved.config, info, before):
        return Continued(resolved, notices)
    if resolved.origin_of_choice == "record" and before is not None and not _by_itself(resolved, engine):
        notices.append(_drift(info.agent, _goes_on(before.config, engine)))
        resolved = replace(resolved, config=before.config, found=True, problems=())
        return Continued(resolved, notices, from_record=True)
    if resolved.found and info.agent not in ("", resolved.config.name):
        notices.append(_another(resolved.config.name, info.agent))
    elif resolved.found:
        notices.append(_drift(resolved.config.name, "it is used as it is today"))
    return Continued(resolved, notices, changed=resolved.found)


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


def _servers(before: Recorded | None, frame: Frame) -> list[Notice]:
    now = server_names(frame)
    had = list(before.mcp_servers) if before is not None else now
    if set(had) == set(now):
        return []
    sentence = f"The session had the MCP servers {_names(had)}, and goes on with {_names(now)}."
    details = {"missing": sorted(set(had) - set(now)), "added": sorted(set(now) - set(had))}
    return [Notice("mcp_drift", sentence, severity="info", details=details)]


def _names(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names)) or "(none)"
