"""Each value of a configuration with the place that decided it, so that nobody has to guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiro_core.agentconfig.advice import field_name
from kiro_core.agentconfig.checking import typed
from kiro_core.agentconfig.document import SUFFIXES, read_document
from kiro_core.agentconfig.format import AgentFormat
from kiro_core.agentconfig.names import OLD_NAMES
from kiro_core.agentconfig.reading import Unreadable
from kiro_core.agentconfig.resolve import BUILT_IN
from kiro_core.agentconfig.toolsettings import tables
from kiro_core.types import AgentConfig

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Value:
    """A JSON value, and who said so: a file (with the line), the key of a setting and its place, or `DEFAULT`."""

    value: Any
    origin: str


def effective(config: AgentConfig) -> Mapping[str, Value]:
    """All fields of the format by their names in a document, then those that nobody knows.

    `toolsSettings` are as they count, each tool by one name; `tools` are all where nothing is said.

    Raises:
        AgentConfigInvalid: a source gave fields that are not of the format.

    """
    written = {OLD_NAMES.get(name, name): name for name, value in config.fields.items() if value is not None}
    read = typed(config)
    whole = read.model_dump(mode="json", by_alias=True)
    values: dict[str, Value] = {}
    for name in AgentFormat.model_fields:
        field = field_name(AgentFormat, name)
        values[field] = Value(whole.get(field, whole.get(name)), DEFAULT)
    if "name" not in written:
        values["name"] = Value(config.name, f"the name of {config.origin}")
    for field in ("description", "prompt", "model"):  # a source that has no documents may give these alone
        if value := getattr(config, field):
            values[field] = Value(value, config.origin)
    values["tools"] = Value(["*"], DEFAULT)
    values["includeMcpJson"] = Value(includes_mcp_json(config), DEFAULT)
    for field, name in written.items():
        value = tables(read.tools_settings) if name == "toolsSettings" else config.fields[name]
        values[field] = Value(value, _place(config, name))
    return values


def includes_mcp_json(config: AgentConfig) -> bool:
    """Whether the servers of the `mcp.json` files are added: by default only for Kiro's own agent (kiro.dev)."""
    said = typed(config).include_mcp_json
    return config.name == BUILT_IN.name if said is None else said


def _place(config: AgentConfig, field: str) -> str:
    path = Path(config.origin)
    if not path.is_absolute() or path.suffix not in SUFFIXES:
        return config.origin
    try:
        line = read_document(path).line([field])
    except Unreadable:
        line = 0
    return f"{path}:{line}" if line else str(path)
