"""Agent configurations as Kiro keeps them: JSON or Markdown in `.kiro/agents` of the folder, then of the user."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kiro_core import Provider, hookimpl

if TYPE_CHECKING:
    from kiro_agents.source import KiroOptions
    from kiro_core.ports import AgentSource


@hookimpl
def kiro_agents() -> Iterable[Provider[AgentSource, KiroOptions]]:
    """Declare the source `kiro`."""
    from kiro_agents.source import KiroOptions, open_source

    yield Provider("kiro", open_source, KiroOptions, ".kiro/agents of the folder, then of the user")
