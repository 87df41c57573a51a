"""Everything that the settings choose by name, and the word for its kind."""

from __future__ import annotations

from kiro_core.catalog import Choice
from kiro_core.engines import load_engines
from kiro_core.registry import KINDS
from kiro_core.settings import Settings

FACE = "acp"
"""The transport that serves editors."""


def chosen(settings: Settings) -> list[tuple[str, Choice]]:
    """Each kind and choice: what a desk opens, what serves an editor, and what `kiro-core serve` serves.

    Raises:
        SettingsError: an engine of the settings cannot be used.

    """
    engines = load_engines(settings.engines).values()
    launchers = sorted({engine.launcher for engine in engines} - {""})
    transports = sorted({FACE, *(engine.transport for engine in engines)})
    by_hook = {
        "kiro_stores": [settings.store],
        "kiro_agents": settings.agent_sources,
        "kiro_launchers": [settings.launcher, *map(Choice, launchers)],
        "kiro_middlewares": settings.middlewares,
        "kiro_transports": [*map(Choice, transports), *settings.serve, *_crew_server(settings)],
    }
    return [(KINDS[hook], choice) for hook, choices in by_hook.items() for choice in choices]


def _crew_server(settings: Settings) -> list[Choice]:
    """The one that somebody has set: without it sessions work too, and its own default is an extra."""
    return [settings.crew.server] if any(key.startswith("crew.server") for key in settings.origins) else []
