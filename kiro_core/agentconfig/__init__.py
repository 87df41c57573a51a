"""Agent configurations: their format, which one applies to a session, and what it refers to.

What needs the models of the format loads on first use: they take longer to import than a command should wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiro_core.agentconfig.resolve import BUILT_IN, Resolved, all_agents, resolve
from kiro_core.late import Loading, late

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
    "AgentFormat": "kiro_core.agentconfig.format",
    "Loaded": "kiro_core.agentconfig.loading",
    "SUFFIXES": "kiro_core.agentconfig.document",
    "Value": "kiro_core.agentconfig.origins",
    "as_json": "kiro_core.agentconfig.writing",
    "as_markdown": "kiro_core.agentconfig.writing",
    "effective": "kiro_core.agentconfig.origins",
    "includes_mcp_json": "kiro_core.agentconfig.origins",
    "json_schema": "kiro_core.agentconfig.schema",
    "load": "kiro_core.agentconfig.loading",
    "needs_trust": "kiro_core.agentconfig.consent",
    "preface": "kiro_core.agentconfig.contents",
    "read_contents": "kiro_core.agentconfig.contents",
    "typed": "kiro_core.agentconfig.checking",
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

__getattr__: Loading = late(__name__, _HOME)
