"""What a session ran with when it was last open: that comes back, whatever its folder says today."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import NamedTuple

import msgspec

from kiro_core.journal import Entry
from kiro_core.recovery.reading import entries, told
from kiro_core.types import AgentConfig, Record, SessionInfo

_KINDS = ("opened", "configured")
_ServerTools = dict[str, tuple[tuple[str, ...], tuple[str, ...]]]


class Recorded(NamedTuple):
    """The effective configuration of a record: the agent configuration, and the names of its MCP servers.

    `server_tools` are the disabled and the approved tools of those that had some.
    """

    config: AgentConfig
    mcp_servers: Sequence[str]
    server_tools: Mapping[str, tuple[Sequence[str], Sequence[str]]]


async def recorded(read: Callable[[int], AsyncIterator[Record]], info: SessionInfo) -> Recorded | None:
    """The configuration whose name and digest the metadata has; None when no record holds it.

    It is the first one behind the record `info.configured`. In an imported session the numbers may be
    others, so the whole log is searched then, and the last one counts.
    """
    async with aclosing(entries(read(info.configured))) as items:
        async for item in items:
            if item.kind in _KINDS:
                if found := _matching(item, info):
                    return found
                break
    last: Recorded | None = None
    async with aclosing(entries(read(0))) as items:
        async for item in items:
            if item.kind in _KINDS:
                last = _matching(item, info) or last
    return last


def _matching(item: Entry, info: SessionInfo) -> Recorded | None:
    data = told(item)
    agent = data.get("agent")
    if not isinstance(agent, dict) or "prompt" not in agent:
        return None
    if (agent.get("name"), agent.get("digest")) != (info.agent, info.config_digest):
        return None
    try:
        config = msgspec.convert({**agent, "withheld": data.get("withheld") or ()}, AgentConfig)
        servers = msgspec.convert(data.get("mcpServers") or (), tuple[str, ...])
        return Recorded(config, servers, msgspec.convert(data.get("serverTools") or {}, _ServerTools))
    except msgspec.ValidationError:
        return None
