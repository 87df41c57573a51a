"""The Kiro agent configuration as typed values: what each field may hold, and nothing about what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from kiro_core.agentconfig.names import Capability
from kiro_core.agentconfig.resources import Resource
from kiro_core.agentconfig.toolsettings import merged

Text = Annotated[str, StringConstraints(strict=True)]

TRIGGERS = ("agentSpawn", "userPromptSubmit", "preToolUse", "postToolUse", "stop")
"""When a hook of a configuration runs (kiro.dev, Hooks)."""

_CONFIG = ConfigDict(strict=True, extra="allow", frozen=True)


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
    auto_approve: list[Text] = Field([], alias="autoApprove", description="`*` is all")
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
    """One of `permissions.rules` (V3): what is allowed, asked or denied of a capability.

    A key that nobody knows is an error here: it may be a condition, without which the rule would allow more.
    """

    model_config: ClassVar[ConfigDict] = _CONFIG | ConfigDict(extra="forbid")

    capability: Capability
    match: list[Text] = []
    effect: Literal["allow", "ask", "deny"]
    exclude: list[Text] = []


class Permissions(BaseModel):
    """The V3 field `permissions`; a list of rules stands for an object with them (kiro.dev, Agent config)."""

    model_config = _CONFIG

    rules: list[PermissionRule] = []


def _one_line(name: str) -> str:
    if not name.isprintable():
        message = "should be one line of text that can be shown"
        raise ValueError(message)
    return name


Name = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1), AfterValidator(_one_line)]
Names = Annotated[list[Text], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]
Rules = Annotated[Permissions, BeforeValidator(lambda value: {"rules": value} if isinstance(value, list) else value)]


def _known_triggers(value: Any) -> Any:
    return {event: value[event] for event in TRIGGERS if event in value} if isinstance(value, dict) else value


class AgentFormat(BaseModel):
    """All fields of V2 and V3; those that nobody knows are kept in `model_extra`."""

    model_config = _CONFIG

    schema_: Text | None = Field(None, alias="$schema")
    name: Name
    description: Text | None = Field(None, description="what it is for")
    prompt: Text | None = Field(
        None, validation_alias=AliasChoices("prompt", "systemPrompt"), description="the text, or file:// and a path"
    )
    mcp_servers: dict[str, Any] = Field({}, alias="mcpServers", description="programs and addresses, by name")
    tools: Names = Field([], description="what it can use: names, @server, @server/tool, @builtin, *")
    tool_aliases: dict[str, Text] = Field({}, alias="toolAliases", description="other names for tools")
    allowed_tools: Names = Field([], alias="allowedTools", description="what it may use without a question")
    excluded_tools: Names = Field([], alias="excludedTools", description="what it can never use")
    tools_settings: dict[str, dict[str, Any]] = Field(
        {}, alias="toolsSettings", description="which paths, commands and services, by tool"
    )
    permissions: Rules = Field(Permissions(), description="rules by capability")
    resources: list[Resource] = Field([], description="file:// (with globs), skill://, or a knowledge base")
    hooks: Annotated[dict[str, list[Trigger]], BeforeValidator(_known_triggers)] = Field(
        {}, description="shell commands", json_schema_extra={"propertyNames": {"enum": list(TRIGGERS)}}
    )
    include_mcp_json: bool | None = Field(
        None,
        validation_alias=AliasChoices("includeMcpJson", "useLegacyMcpJson"),
        description="add the servers of the mcp.json of the folder and of the user",
    )
    include_powers: bool | None = Field(None, alias="includePowers", description="kept, not used")
    model: Text | None = Field(None, description="the model's id")
    keyboard_shortcut: Text | None = Field(
        None, alias="keyboardShortcut", description="kept for clients that have keys, such as ctrl+shift+a"
    )
    welcome_message: Text | None = Field(None, alias="welcomeMessage", description="shown when one switches to it")
    tool_schema: dict[str, Any] | None = Field(None, alias="toolSchema", description="kept, not used")

    def settings_of(self, tool: str) -> Mapping[str, Any]:
        """What `toolsSettings` says of a tool, by its canonical name and all its other names together.

        Lists add up; of two switches the stricter one counts.
        """
        return merged(self.tools_settings, tool)
