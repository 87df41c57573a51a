"""What a session ran with when it was last open: that comes back, whatever its folder says today."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any, NamedTuple, cast

import msgspec

from kiro_core.journal import entry
from kiro_core.types import AgentConfig, Record, SessionInfo


class Recorded(NamedTuple):
    """The effective configuration of a record: the agent configuration, and the names of its MCP servers."""

    config: AgentConfig
    mcp_servers: Sequence[str]


async def recorded(read: Callable[[int], AsyncIterator[Record]], info: SessionInfo) -> Recorded | None:
    """The configuration whose digest the metadata names; None when no record holds it.

    It stands right behind the record `info.configured`. In an imported session the numbers are others, so
    the whole log is searched then.
    """
    found = await _first(read(info.configured), info.config_digest)
    if found is None and info.configured:
        found = await _first(read(0), info.config_digest)
    return found


async def _first(records: AsyncIterator[Record], digest: str) -> Recorded | None:
    async with aclosing(cast("Any", records)):
        async for record in records:
            item = entry(record)
            if item.kind not in ("opened", "configured"):
                continue
            if (found := _read(item.value)) is not None and found.config.digest == digest:
                return found
    return None


def _read(data: Any) -> Recorded | None:
    agent = data.get("agent") if isinstance(data, dict) else None
    if not isinstance(agent, dict) or "prompt" not in agent:
        return None
    try:
        config = msgspec.convert({**agent, "withheld": data.get("withheld") or ()}, AgentConfig)
        return Recorded(config, msgspec.convert(data.get("mcpServers") or (), tuple[str, ...]))
    except msgspec.ValidationError:
        return None
