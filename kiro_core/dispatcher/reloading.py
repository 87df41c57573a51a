"""Settings that are read again while a desk runs: what a new session looks up changes, what is open stays as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from kiro_core.explain import dotted
from kiro_core.settings import Settings

_OPENED = ("agent_sources", "launcher", "middlewares", "plugins", "serve", "store")
"""What is opened once, when the desk is."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """The keys that have changed, such as `limits.start_s`, and those that only another start changes."""

    changed: Sequence[str] = ()
    kept: Sequence[str] = ()

    def __str__(self) -> str:
        """One sentence or two, for the log and for people."""
        changed = f"Changed: {', '.join(self.changed)}." if self.changed else "Nothing has changed."
        return f"{changed} Needs another start: {', '.join(self.kept)}." if self.kept else changed


def merged(old: Settings, new: Settings, unreachable: Sequence[str]) -> tuple[Settings, Reloaded]:
    """The settings to go on with: the new ones, but for what is open already, and what became of each key.

    `unreachable` are engines of the new settings whose launcher or transport is not open here.
    """
    engines = {name: engine for name, engine in new.engines.items() if name not in unreachable}
    engines |= {name: old.engines[name] for name in unreachable if name in old.engines}
    opened = {name: getattr(old, name) for name in _OPENED}
    result = new.model_copy(update={**opened, "engines": engines})
    changed, wanted = _differences(old, result), _differences(old, new)
    return result, Reloaded(changed, [key for key in wanted if key not in changed])


def _differences(old: Settings, new: Settings) -> list[str]:
    before, after = _keys(old), _keys(new)
    absent = object()
    return sorted(key for key in before | after if before.get(key, absent) != after.get(key, absent))


def _keys(settings: Settings) -> dict[str, Any]:
    """Values by their keys, tables by those inside; an engine counts as a whole."""
    keys: dict[str, Any] = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        table = dict(value) if isinstance(value, BaseModel | Mapping) else None
        keys |= {name: value} if table is None else {dotted((name, key)): inner for key, inner in table.items()}
    return keys
