"""The Kiro agent configuration as typed values: what each field may hold, and nothing about what it does."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strict=True)]

TRIGGERS = ("agentSpawn", "userPromptSubmit", "preToolUse", "postToolUse", "stop")
"""When a hook of a configuration runs (kiro.dev, Hooks)."""

_CONFIG = ConfigDict(strict=True, extra="allow", frozen=True, populate_by_name=True)


class McpServer(BaseModel):
    """One entry of `mcpServers`: a program (`command`) or an address (`url`)."""

    model_config = _CONFIG

    type: Text | None = None
    command: Text | None = None
    args: list[Text] = []
    env: dict[str, Text] = {}
    url: Text | None = None
    headers: dict[str, Text] = {}
    timeout: int | None = Field(None, gt=0, description="milliseconds")
    request_timeout: int | None = Field(None, gt=0, alias="requestTimeout", description="milliseconds")
    disabled: bool = False
    disabled_tools: list[Text] = Field([], alias="disabledTools")
    auto_approve: list[Text] = Field([], alias="autoApprove")
    oauth: dict[str, Any] | None = None
    oauth_scopes: list[Text] | None = Field(None, alias="oauthScopes")


class Trigger(BaseModel):
    """One entry of `hooks`: a shell command, and for which tools it runs."""

    model_config = _CONFIG

    command: Annotated[str, StringConstraints(strict=True, min_length=1)]
    matcher: Text | None = None
    timeout_ms: int = Field(30_000, gt=0, description="milliseconds")
    max_output_size: int = Field(10_240, gt=0, description="bytes")
    cache_ttl_seconds: int = Field(0, ge=0, description="seconds; 0: never cached")


class PermissionRule(BaseModel):
    """One of `permissions.rules` (V3): what is allowed, asked or denied of a capability."""

    model_config = _CONFIG

    capability: Literal["fs_read", "fs_write", "shell", "web_fetch", "web_search", "mcp", "subagent", "all"]
    match: list[Text] = []
    effect: Literal["allow", "ask", "deny"]
    exclude: list[Text] = []


class Permissions(BaseModel):
    """The V3 field `permissions`."""

    model_config = _CONFIG

    rules: list[PermissionRule] = []


class AgentFormat(BaseModel):
    """All fields of V2 and V3; those that nobody knows are kept in `model_extra`."""

    model_config = _CONFIG

    schema_: Text | None = Field(None, alias="$schema")
    name: Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1)]
    description: Text | None = None
    prompt: Text | None = Field(None, validation_alias=AliasChoices("prompt", "systemPrompt"))
    mcp_servers: dict[str, Any] = Field({}, alias="mcpServers")
    tools: list[Text] = []
    tool_aliases: dict[str, Text] = Field({}, alias="toolAliases")
    allowed_tools: list[Text] = Field([], alias="allowedTools")
    excluded_tools: list[Text] = Field([], alias="excludedTools")
    tools_settings: dict[str, dict[str, Any]] = Field({}, alias="toolsSettings")
    permissions: Permissions = Permissions()
    resources: list[Text | dict[str, Any]] = []
    hooks: dict[str, list[Trigger]] = {}
    include_mcp_json: bool | None = Field(None, validation_alias=AliasChoices("includeMcpJson", "useLegacyMcpJson"))
    include_powers: bool | None = Field(None, alias="includePowers")
    model: Text | None = None
    keyboard_shortcut: Text | None = Field(None, alias="keyboardShortcut")
    welcome_message: Text | None = Field(None, alias="welcomeMessage")
    tool_schema: dict[str, Any] | None = Field(None, alias="toolSchema")
