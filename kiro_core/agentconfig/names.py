"""The names in agent configurations, for whoever needs no model of what stands under them."""

from __future__ import annotations

from typing import Literal

OLD_NAMES = {"systemPrompt": "prompt", "useLegacyMcpJson": "includeMcpJson"}
"""Fields under the names that they had, which still count."""

FIELDS = frozenset(
    {
        "$schema",
        "name",
        "description",
        "prompt",
        "mcpServers",
        "tools",
        "toolAliases",
        "allowedTools",
        "excludedTools",
        "toolsSettings",
        "permissions",
        "resources",
        "hooks",
        "includeMcpJson",
        "includePowers",
        "model",
        "keyboardShortcut",
        "welcomeMessage",
        "toolSchema",
        *OLD_NAMES,
    }
)
"""All fields as people write them, also under their old names."""

Capability = Literal[
    "fs_read", "fs_write", "filesystem", "shell", "web_fetch", "web_search", "mcp", "subagent", "builtin", "all"
]
"""What a rule of V3 is about (kiro.dev, Permissions; Agent config)."""
