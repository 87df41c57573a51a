"""Agent configurations: their format, which one applies to a session, and what it refers to.

What needs the models of the format loads on first use: they take longer to import than a command should wait.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kiro_core.agentconfig.resolve import BUILT_IN, Resolved, all_agents, resolve

if TYPE_CHECKING:
    from kiro_core.agentconfig.checking import typed as typed
    from kiro_core.agentconfig.consent import needs_trust as needs_trust
    from kiro_core.agentconfig.contents import preface as preface
    from kiro_core.agentconfig.contents import read_contents as read_contents
    from kiro_core.agentconfig.document import SUFFIXES as SUFFIXES
    from kiro_core.agentconfig.format import AgentFormat as AgentFormat
    from kiro_core.agentconfig.loading import Loaded as Loaded
    from kiro_core.agentconfig.loading import load as load
    from kiro_core.agentconfig.origins import Value as Value
    from kiro_core.agentconfig.origins import effective as effective
    from kiro_core.agentconfig.origins import includes_mcp_json as includes_mcp_json
    from kiro_core.agentconfig.schema import json_schema as json_schema
    from kiro_core.agentconfig.writing import as_json as as_json
    from kiro_core.agentconfig.writing import as_markdown as as_markdown

_HOME = {
    "AgentFormat": "format",
    "Loaded": "loading",
    "SUFFIXES": "document",
    "Value": "origins",
    "as_json": "writing",
    "as_markdown": "writing",
    "effective": "origins",
    "includes_mcp_json": "origins",
    "json_schema": "schema",
    "load": "loading",
    "needs_trust": "consent",
    "preface": "contents",
    "read_contents": "contents",
    "typed": "checking",
}

__all__ = [
    "BUILT_IN",
    "SUFFIXES",
    "AgentFormat",
    "Loaded",
    "Resolved",
    "Value",
    "all_agents",
    "as_json",
    "as_markdown",
    "effective",
    "includes_mcp_json",
    "json_schema",
    "load",
    "needs_trust",
    "preface",
    "read_contents",
    "resolve",
    "typed",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        message = f"module 'kiro_core.agentconfig' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"kiro_core.agentconfig.{_HOME[name]}"), name)
