"""The agent configurations of a folder, as tools, prompts and resources need them."""

from __future__ import annotations

from collections.abc import Sequence

from kiro_core.errors import AgentConfigInvalid, AgentNotFound, AgentUntrusted
from kiro_core.types import AgentConfig, AgentSummary
from kiro_mcp.service import Service
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.folders import folder as folder_of


async def agents_in(service: Service, folder: str = "") -> Sequence[AgentSummary]:
    """The agent configurations for a folder, by default the one in which sessions begin.

    Raises:
        ToolFailure: INVALID_CONFIG, there is no such folder.

    """
    found, _ = await service.desk.agents(folder_of(service.options, folder))
    return found


async def prompts_in(service: Service, folder: str = "") -> Sequence[AgentConfig]:
    """Those that have a prompt and can be used.

    Raises:
        ToolFailure: as `agents_in`.

    """
    configs = [await _usable(service, agent.name, folder) for agent in await agents_in(service, folder)]
    return [config for config in configs if config is not None and config.prompt]


async def prompt_called(service: Service, name: str, folder: str = "") -> AgentConfig:
    """The agent configuration of that name, which has a prompt.

    Raises:
        ToolFailure: AGENT_NOT_FOUND; and as `agents_in`.

    """
    config = await _usable(service, name, folder)
    if config is None or not config.prompt:
        raise ToolFailure(
            "AGENT_NOT_FOUND",
            f"There is no prompt called {name!r}.",
            hint="kiro_prompts_list has all.",
            details={"name": name},
        )
    return config


async def _usable(service: Service, name: str, folder: str) -> AgentConfig | None:
    try:
        return await service.desk.agent(name, folder_of(service.options, folder))
    except (AgentNotFound, AgentConfigInvalid, AgentUntrusted):
        return None
