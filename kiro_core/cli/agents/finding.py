"""Asks the sources for one agent configuration, where a broken one is told elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kiro_core.agentconfig import BUILT_IN
from kiro_core.errors import AgentConfigInvalid
from kiro_core.ports import AgentSource
from kiro_core.types import AgentConfig


async def find_agent(sources: Sequence[AgentSource], name: str, cwd: Path) -> AgentConfig | None:
    """The first of that name, or the built-in; None where there is none, or its file is broken."""
    try:
        for source in sources:
            if (config := await source.find(name, cwd)) is not None:
                return config
    except AgentConfigInvalid:
        return None
    return BUILT_IN if name == BUILT_IN.name else None
