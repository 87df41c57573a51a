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


class AddressSettings(BaseModel):
    """Of `web_fetch`: patterns of addresses."""

    model_config = _CONFIG

    trusted: list[str] = []
    blocked: list[str] = Field([], description="need only occur in an address")


OF_TOOL: Mapping[str, type[BaseModel]] = {
    **dict.fromkeys(("read", "write", "grep", "glob"), PathSettings),
    "shell": ShellSettings,
    "use_aws": AwsSettings,
    "subagent": SubagentSettings,
    "web_fetch": AddressSettings,
}
"""What each built-in's settings may hold, by its canonical name."""

_ALLOWING: Mapping[str, Mapping[str, bool]] = {
    **{tool: {"allowedPaths": False, "allowReadOnly": False} for tool in ("read", "write", "grep", "glob")},
    "shell": {"allowedCommands": False, "autoAllowReadonly": False},
    "use_aws": {"allowedServices": False, "autoAllowReadonly": True},
    "subagent": {"trustedAgents": False},
    "web_fetch": {"trusted": False},
}
"""Of each tool the settings that let something happen without a question, and whether they do where nothing is said.

Nothing else in `toolsSettings` allows anything: the policy makes no other rule that does, and consent asks for these.
"""

PATTERNS: Mapping[str, Mapping[str, str]] = {
    "shell": {"allowedCommands": "allows nothing", "deniedCommands": "denies every command"},
    "web_fetch": {"trusted": "allows nothing", "blocked": "denies every address"},
}
"""Of each tool the settings that are regular expressions, and what one does that cannot be used."""

_OLD_KEYS = {tool: {"allowReadOnly": "autoAllowReadonly"} for tool in ("shell", "use_aws")}


def merged(tools_settings: Mapping[str, Mapping[str, Any]], tool: str) -> dict[str, Any]:
    """The settings of all names of a tool as one: lists add up; of two switches the stricter one counts."""
    whole: dict[str, Any] = {}
    for name, settings in tools_settings.items():
        if canonical(name) == canonical(tool):
            for written, value in settings.items():
                key = _OLD_KEYS.get(canonical(tool), {}).get(written, written)
                whole[key] = _both(key, whole[key], value) if key in whole else value
    return whole


def tables(tools_settings: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The settings of all tools, each as `merged` makes them, by canonical names."""
    return {tool: merged(tools_settings, tool) for tool in dict.fromkeys(map(canonical, tools_settings))}


def allowing(tool: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the merged settings of a tool let happen without a question: lists that name something, switches as True."""
    said = {key: settings.get(key) for key in _ALLOWING.get(tool, ())}
    whole = {key: _ALLOWING[tool][key] if value is None else value for key, value in said.items()}
    return {key: value for key, value in whole.items() if value}


def _both(key: str, one: Any, other: Any) -> Any:
    if isinstance(one, list) and isinstance(other, list):
        return [*one, *(value for value in other if value not in one)]
    if isinstance(one, bool) and isinstance(other, bool):
        return one or other if key.startswith("deny") else one and other
    return other if one is None else one
