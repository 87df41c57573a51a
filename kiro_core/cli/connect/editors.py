"""The editors that speak ACP: where each keeps its settings, and what has to stand there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENTRY = "kiro-core"
"""The name under which an editor shows us."""


@dataclass(frozen=True, slots=True)
class Editor:
    """One editor: `table` is the key of its settings that holds agents by name; `needs` is a sentence or empty."""

    title: str
    path: Callable[[], Path]
    table: str
    needs: str = ""
    typed: bool = False

    def entry(self, program: str, arguments: Sequence[str]) -> dict[str, Any]:
        """What stands there for us; editors do not know a shell's `PATH`, by which agent programs are found."""
        kind = {"type": "custom"} if self.typed else {}
        env = {name: os.environ[name] for name in ("PATH",) if os.environ.get(name)}
        return {**kind, "command": program, "args": list(arguments), "env": env}


def _config_home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def _zed() -> Path:
    # On macOS it has the same folder, and does not look at XDG_CONFIG_HOME (zed.dev, "Configuring Zed").
    home = Path.home() / ".config" if sys.platform == "darwin" else _config_home()
    return home / "zed" / "settings.json"


def _jetbrains() -> Path:
    return Path.home() / ".jetbrains" / "acp.json"


def _vscode() -> Path:
    mac = Path.home() / "Library" / "Application Support"
    return (mac if sys.platform == "darwin" else _config_home()) / "Code" / "User" / "settings.json"


EDITORS = {
    "zed": Editor("Zed", _zed, "agent_servers", typed=True),
    "jetbrains": Editor("JetBrains AI Assistant", _jetbrains, "agent_servers"),
    "vscode": Editor(
        "Visual Studio Code",
        _vscode,
        "acp.agents",
        needs="It needs the extension ACP Client (formulahendry.acp-client).",
    ),
}
