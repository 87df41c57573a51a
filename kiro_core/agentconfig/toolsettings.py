"""What `toolsSettings` may say of a tool, under whichever of its names it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from kiro_core.agentconfig.tools import canonical

_CONFIG = ConfigDict(strict=True, extra="allow", frozen=True)


class PathSettings(BaseModel):
    """Of `read`, `write`, `grep` and `glob`: globs of paths."""

    model_config = _CONFIG

    allowed_paths: list[str] = Field([], alias="allowedPaths")
    denied_paths: list[str] = Field([], alias="deniedPaths")
    allow_read_only: bool | None = Field(None, alias="allowReadOnly")


class ShellSettings(BaseModel):
    """Of `shell`: anchored patterns of commands."""

    model_config = _CONFIG

    allowed_commands: list[str] = Field([], alias="allowedCommands")
    denied_commands: list[str] = Field([], alias="deniedCommands")
    deny_by_default: bool | None = Field(None, alias="denyByDefault")
    auto_allow_readonly: bool | None = Field(None, alias="autoAllowReadonly")
    allow_read_only: bool | None = Field(None, alias="allowReadOnly", description="an older name")


class AwsSettings(BaseModel):
    """Of `use_aws`: names of services."""

    model_config = _CONFIG

    allowed_services: list[str] = Field([], alias="allowedServices")
    denied_services: list[str] = Field([], alias="deniedServices")
    auto_allow_readonly: bool | None = Field(None, alias="autoAllowReadonly")
    allow_read_only: bool | None = Field(None, alias="allowReadOnly", description="an older name")


class SubagentSettings(BaseModel):
    """Of `subagent`: names of agents, with `*`."""

    model_config = _CONFIG

    available_agents: list[str] = Field([], alias="availableAgents", description="none: all")
    trusted_agents: list[str] = Field([], alias="trustedAgents")


OF_TOOL: Mapping[str, type[BaseModel]] = {
    **dict.fromkeys(("read", "write", "grep", "glob"), PathSettings),
    "shell": ShellSettings,
    "use_aws": AwsSettings,
    "subagent": SubagentSettings,
}
"""What each built-in's settings may hold, by its canonical name."""

ALLOWING = (
    "allowedPaths",
    "allowedCommands",
    "allowedServices",
    "autoAllowReadonly",
    "allowReadOnly",
    "trustedAgents",
)
"""The settings of whichever tool that let something happen without a question."""


def merged(tools_settings: Mapping[str, Mapping[str, Any]], tool: str) -> dict[str, Any]:
    """The settings of all names of a tool as one: lists add up; of two switches the stricter one counts."""
    whole: dict[str, Any] = {}
    for name, settings in tools_settings.items():
        if canonical(name) == canonical(tool):
            for key, value in settings.items():
                whole[key] = _both(key, whole[key], value) if key in whole else value
    return whole


def _both(key: str, one: Any, other: Any) -> Any:
    if isinstance(one, list) and isinstance(other, list):
        return [*one, *(value for value in other if value not in one)]
    if isinstance(one, bool) and isinstance(other, bool):
        return one or other if key.startswith("deny") else one and other
    return other if one is None else one
