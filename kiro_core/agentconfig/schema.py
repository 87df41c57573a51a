"""The format as a JSON schema, so that an editor completes and checks a configuration while it is written."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from kiro_core.agentconfig.format import AgentFormat, McpServer, Name, PermissionRule, Permissions
from kiro_core.agentconfig.names import OLD_NAMES
from kiro_core.agentconfig.toolsettings import (
    AddressSettings,
    AwsSettings,
    PathSettings,
    ShellSettings,
    SubagentSettings,
)


class _ToolsSettings(BaseModel):
    model_config = ConfigDict(extra="allow", title="ToolsSettings")

    read: PathSettings | None = None
    write: PathSettings | None = None
    grep: PathSettings | None = None
    glob: PathSettings | None = None
    shell: ShellSettings | None = None
    use_aws: AwsSettings | None = None
    subagent: SubagentSettings | None = None
    web_fetch: AddressSettings | None = None


class _Described(AgentFormat):
    """As one writes it: parts that are read leniently, one by one, are described in full."""

    model_config = ConfigDict(title="Agent configuration")

    name: Name = Field("", description="without it, the name of the file")
    mcp_servers: dict[str, McpServer] = Field({}, alias="mcpServers")
    tools_settings: _ToolsSettings = Field(_ToolsSettings(), alias="toolsSettings")  # type: ignore[assignment] # only described
    permissions: Permissions | list[PermissionRule] = Permissions()  # type: ignore[assignment] # the same


def json_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a configuration as a JSON file."""
    schema = _Described.model_json_schema(by_alias=True)
    properties = schema["properties"]
    del properties["name"]["default"]
    for old, new in OLD_NAMES.items():
        properties[old] = {**properties[new], "deprecated": True}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
