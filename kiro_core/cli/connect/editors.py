"""The editors and MCP hosts that start us: where each keeps its settings, and what has to stand there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENTRY = "kiro-core"
"""The name under which they show us."""


@dataclass(frozen=True, slots=True)
class Editor:
    """One of them: `table` is the key of its settings that holds what it starts, by name; `command` is ours.

    `needs` is a sentence or empty, `kind` the `type` of an entry, where it wants one.
    """

    title: str
    path: Callable[[], Path]
    table: str
    needs: str = ""
    kind: str = ""
    command: tuple[str, ...] = ("acp",)

    def entry(self, program: str, arguments: Sequence[str]) -> dict[str, Any]:
        """What stands there for us; editors do not know a shell's `PATH`, by which agent programs are found."""
        kind = {"type": self.kind} if self.kind else {}
        env = {name: os.environ[name] for name in ("PATH",) if os.environ.get(name)}
        return {**kind, "command": program, "args": [*self.command, *arguments], "env": env}


def _config_home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def _zed() -> Path:
    # On macOS it has the same folder, and does not look at XDG_CONFIG_HOME (zed.dev, "Configuring Zed").
    home = Path.home() / ".config" if sys.platform == "darwin" else _config_home()
    return home / "zed" / "settings.json"


def _jetbrains() -> Path:
    return Path.home() / ".jetbrains" / "acp.json"


def _vscode(name: str) -> Path:
    mac = Path.home() / "Library" / "Application Support"
    return (mac if sys.platform == "darwin" else _config_home()) / "Code" / "User" / name


_MCP = ("mcp", "serve")

EDITORS = {
    "zed": Editor("Zed", _zed, "agent_servers", kind="custom"),
    "jetbrains": Editor("JetBrains AI Assistant", _jetbrains, "agent_servers"),
    "vscode": Editor(
        "Visual Studio Code",
        lambda: _vscode("settings.json"),
        "acp.agents",
        needs="It needs the extension ACP Client (formulahendry.acp-client).",
    ),
    "claude-code": Editor(
        "Claude Code", lambda: Path.home() / ".claude.json", "mcpServers", kind="stdio", command=_MCP
    ),
    "copilot": Editor("Copilot in VS Code", lambda: _vscode("mcp.json"), "servers", kind="stdio", command=_MCP),
    "cursor": Editor("Cursor", lambda: Path.home() / ".cursor" / "mcp.json", "mcpServers", command=_MCP),
    "gemini": Editor("Gemini CLI", lambda: Path.home() / ".gemini" / "settings.json", "mcpServers", command=_MCP),
}
