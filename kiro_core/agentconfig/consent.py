"""Names what of a folder's configuration nobody may use before the user has agreed to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kiro_core.agentconfig.reading import Unreadable
from kiro_core.agentconfig.referring import FILE, budget, is_inside, leads_out, path_of
from kiro_core.errors import AgentConfigInvalid
from kiro_core.types import AgentConfig

if TYPE_CHECKING:
    from kiro_core.agentconfig.format import AgentFormat


def needs_trust(config: AgentConfig) -> Sequence[str]:
    """The fields for which a document of a folder needs the user's consent; none for the user's own.

    Those that start a program, let something happen without a question, have regular expressions, or name a file
    outside of the folder: links and globs are followed, so this reads folders and belongs into a thread. A document
    that is itself a link out of the folder needs it for all its fields.
    """
    if not config.workspace:
        return ()
    from kiro_core.agentconfig.checking import typed  # models, which most sessions never need

    folder = Path(config.workspace)
    if not is_inside(Path(config.origin), folder):
        return tuple(config.fields)
    try:
        fields = typed(config)
    except AgentConfigInvalid:
        return tuple(config.fields)
    looks = budget()
    wanted = {
        "prompt" if config.fields.get("prompt") else "systemPrompt": _prompt_leads_out(config, folder),
        "mcpServers": fields.mcp_servers,
        "allowedTools": fields.allowed_tools,
        "toolsSettings": _allows_or_matches(fields),
        "permissions": any(rule.effect == "allow" for rule in fields.permissions.rules),
        "resources": any(leads_out(uri, folder, folder, looks) for uri in _uris(fields)),
        "hooks": any((config.fields.get("hooks") or {}).values()),
    }
    return tuple(field for field, is_wanted in wanted.items() if is_wanted)


def _prompt_leads_out(config: AgentConfig, folder: Path) -> bool:
    if not config.prompt.startswith(FILE):
        return False
    try:
        return not is_inside(path_of(config.prompt, Path(config.origin).parent), folder)
    except Unreadable:
        return True


def _allows_or_matches(fields: AgentFormat) -> bool:
    """Whether the policy would allow something by it, or has to run patterns that a stranger wrote."""
    from kiro_core.agentconfig.toolsettings import PATTERNS, allowing, tables

    return any(
        allowing(tool, settings) or any(settings.get(key) for key in PATTERNS.get(tool, ()))
        for tool, settings in tables(fields.tools_settings).items()
    )


def _uris(fields: AgentFormat) -> list[str]:
    from kiro_core.agentconfig.resources import KnowledgeBase

    return [one.source if isinstance(one, KnowledgeBase) else one for one in fields.resources]
