"""Bring a session back as it was: its folder may have changed since, which is told and not followed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from kiro_core.agentconfig import Resolved
from kiro_core.frames import Frame
from kiro_core.ports import SessionStore
from kiro_core.recovery import Recorded, recorded
from kiro_core.session import server_names
from kiro_core.types import Engine, Notice, SessionInfo


async def as_recorded(
    store: SessionStore, info: SessionInfo, resolved: Resolved, engine: Engine, frame: Frame
) -> tuple[Resolved, list[Notice]]:
    """The agent configuration that a session goes on with, and what its client has to be told of the difference.

    One that the client or the command line named is used as it is today, and told when it is another.
    """
    before = await recorded(partial(store.read, info.id), info)
    notices = _servers(before, frame)
    if resolved.origin_of_choice != "record":
        if resolved.found and info.agent not in ("", resolved.config.name):
            notices.append(_another(resolved.config.name, info.agent))
        return resolved, notices
    if not info.config_digest or (resolved.found and resolved.config.digest == info.config_digest):
        return resolved, notices
    by_itself = resolved.found and engine.agents == "mode"
    notices.append(_changed(info.agent, goes_on=before is not None and not by_itself))
    if before is not None and not by_itself:
        resolved = replace(resolved, config=before.config, found=True, problems=())
    return resolved, notices


def _another(agent: str, before: str) -> Notice:
    sentence = f"The session goes on as '{agent}', no more as '{before}'."
    return Notice("agent_changed", sentence, severity="info", details={"agent": agent, "previousAgent": before})


def _changed(agent: str, *, goes_on: bool) -> Notice:
    what = "the session goes on with the one that it had" if goes_on else "it is read as it is today"
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
