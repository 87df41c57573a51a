"""Tells which engine a new session would get, soon enough for an editor that waits for its first answer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiro_core.engines.choice import choose_engine
from kiro_core.engines.table import merged
from kiro_core.errors import EngineNotFound, SettingsError, UnknownName
from kiro_core.settings.layers import merge, tree
from kiro_core.settings.sources import read_sources

if TYPE_CHECKING:
    from kiro_core.types import Engine


def default_engine(
    arguments: Mapping[str, Any], *, config: Path | None = None, agent: str = "", engine: str = ""
) -> Engine | None:
    """The engine of a new session of which nothing is known yet; None where there is none to start.

    `arguments` and `config` as for `load_settings`, `agent` and `engine` as the command line names
    them. The settings are read but not checked, since the models that check them take longer to import
    than all of this; nor is Kiro's own `chat.defaultAgent` looked at.

    Raises:
        SettingsError: the settings cannot be used as they stand; `load_settings` says what is wrong.

    """
    written = _written(arguments, config)
    try:
        chosen = choose_engine(
            merged(written.get("engines", {})),
            requested=engine,
            for_agent=written.get("agent_engines", {}).get(agent or written.get("agent", ""), ""),
            default=written.get("engine", ""),
        )
    except (EngineNotFound, UnknownName):
        return None
    except (AttributeError, TypeError, ValueError) as error:
        raise SettingsError("The settings cannot be used as they stand.") from error
    return chosen.engine


def engine_names(*, config: Path | None = None) -> list[str]:
    """The names of all engines, for a shell that completes one; as cheap as `default_engine`.

    Raises:
        SettingsError: the settings cannot be read.

    """
    added = _written({}, config).get("engines", {})
    return [*dict.fromkeys([*merged({}), *(added if isinstance(added, dict) else {})])]


def _written(arguments: Mapping[str, Any], config: Path | None) -> dict[str, Any]:
    layers, _ = read_sources(arguments, config, os.environ, None)
    return tree(merge(layers, ()))
