"""The agent programs that are known: built in, corrected by what a probe learned, added or changed by the settings."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiro_core.errors import SettingsError
from kiro_core.explain import dotted, near_miss
from kiro_core.settings.sources import kiro_home
from kiro_core.types import Engine

if TYPE_CHECKING:
    from kiro_core.settings import EngineSettings


def load_engines(changes: Mapping[str, EngineSettings]) -> Mapping[str, Engine]:
    """The built-in entries with what the settings add or change, by name.

    What `env`, `tools` and `told` have is added to the built-in one; any other key replaces the built-in one. What
    `kiro-core engines --probe` learned of a command counts as long as the command is the same.

    Raises:
        SettingsError: a new entry without a command.

    """
    return merged({name: change.model_dump(exclude_unset=True) for name, change in changes.items()})


def merged(changes: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Engine]:
    """The same for changes that hold the fields of `Engine` as they are written.

    Raises:
        SettingsError: see `load_engines`.

    """
    engines = dict(_built_in())
    for name, change in changes.items():
        engines[name] = _changed(engines.get(name), name, change, engines)
    placed = {name: _placed(engine) for name, engine in engines.items()}
    if not (path := cache_path(os.environ)).exists():
        return placed
    from kiro_core.engines.learned import corrected, read_learned

    learned = read_learned(path)
    return {name: corrected(engine, learned.get(name)) for name, engine in placed.items()}


def cache_path(environ: Mapping[str, str]) -> Path:
    """`engines.json` in Kiro's folder of the user."""
    return kiro_home(environ) / "engines.json"


def names_of(engines: Mapping[str, Engine]) -> str:
    """The names for a message."""
    return ", ".join(sorted(engines))


@cache
def _built_in() -> Mapping[str, Engine]:
    text = Path(__file__).with_name("engines.toml").read_text("utf-8")
    return {name: Engine(name, **entry) for name, entry in tomllib.loads(text).items()}


def _changed(built_in: Engine | None, name: str, change: Mapping[str, Any], known: Mapping[str, Engine]) -> Engine:
    if built_in is not None:
        added = {key: {**getattr(built_in, key), **change.get(key, {})} for key in ("env", "tools", "told")}
        return replace(built_in, **{**change, **added}, origin="built-in, changed by the settings")
    if not change.get("command"):
        raise SettingsError(
            f"Settings: {dotted(('engines', name))} has no command and changes no built-in engine"
            f"{near_miss(name, known)}",
            hint=f'Write {dotted(("engines", name, "command"))} = ["program", "argument"]. '
            f"Built in: {names_of(known)}.",
        )
    return Engine(name, **change, origin="settings")


def _placed(engine: Engine) -> Engine:
    return replace(engine, command=_with_python(engine.command), login=_with_python(engine.login))


def _with_python(command: Sequence[str]) -> tuple[str, ...]:
    return tuple(part.replace("{python}", sys.executable) for part in command)
