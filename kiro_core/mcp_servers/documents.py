"""Finds the files that name MCP servers, and those of them that somebody has to agree to first."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiro_core.agentconfig import BUILT_IN
from kiro_core.agentconfig.reading import Unreadable, read_text
from kiro_core.mcp_servers.reading import json_object
from kiro_core.trust import Document, document_of
from kiro_core.types import AgentConfig, Problem

FIELD = "mcpServers"
_SETTINGS = Path("settings", "mcp.json")


@dataclass(frozen=True, slots=True)
class Named:
    """The servers that one place names, as written; `document` is what somebody has to agree to first, if anybody."""

    origin: str
    entries: Mapping[str, Any]
    document: Document | None = None
    problem: Problem | None = None


def of_agent(config: AgentConfig) -> Named:
    """Those of an agent configuration."""
    return _named(config)


def of_files(config: AgentConfig, cwd: Path, home: Path) -> Iterator[Named]:
    """Those of the `mcp.json` of the folder and of the user, in that order, where the configuration includes them.

    Kiro's documentation: `includeMcpJson` is false by default, and true for `kiro_default`.
    """
    included = config.fields.get("includeMcpJson", config.fields.get("useLegacyMcpJson"))
    if included if isinstance(included, bool) else config.name == BUILT_IN.name:
        if not _is_own(cwd, home):
            yield _read(cwd / ".kiro" / _SETTINGS, str(cwd))
        yield _read(home / _SETTINGS, "")


def workspace_document(cwd: Path, home: Path) -> Document | None:
    """What somebody has to agree to before the `mcp.json` of a folder is used; None where it names no server."""
    return None if _is_own(cwd, home) else _read(cwd / ".kiro" / _SETTINGS, str(cwd)).document


def _is_own(cwd: Path, home: Path) -> bool:
    """Whether the folder is the home folder, whose `mcp.json` is the user's own."""
    return os.path.realpath(cwd / ".kiro") == os.path.realpath(home)


def _read(path: Path, workspace: str) -> Named:
    try:
        text, raw = read_text(path)
        fields = json_object(text)
    except Unreadable as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return Named(str(path), {})
        return Named(str(path), {}, problem=Problem(path, "", str(error)))
    servers = {FIELD: fields.get(FIELD, {})}
    digest = hashlib.sha256(raw).hexdigest()
    # What it names is started as if an agent configuration named it, so it is trusted as one.
    return _named(AgentConfig(path.name, origin=str(path), digest=digest, fields=servers, workspace=workspace))


def _named(config: AgentConfig) -> Named:
    entries, document = config.fields.get(FIELD, {}), document_of(config)
    if isinstance(entries, Mapping):
        return Named(config.origin, entries, document)
    problem = Problem(Path(config.origin), FIELD, "is not an object of servers by name")
    return Named(config.origin, {}, document, problem)
