"""Two desks of one store may have other settings: a digest of each value tells which, without telling a secret."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from kiro_core.catalog import Choice
from kiro_core.settings import Settings, kiro_home

_DIGITS = 8


def digests(settings: Settings) -> Mapping[str, str]:
    """The first digits of a SHA-256 for each key that is not at its default, such as `limits.start_s`."""
    return {key: sha256(text.encode()).hexdigest()[:_DIGITS] for key, text in _changed(settings)}


def differing(settings: Settings, theirs: Mapping[str, Any]) -> list[str]:
    """The keys that command line, environment or a file named there give another value than `theirs`, sorted.

    The usual settings file is theirs too, as it was when they read it.
    """
    usual = str(kiro_home(os.environ) / "kiro.toml")
    given = [key for key, origin in settings.origins.items() if origin != usual]
    return sorted(
        key
        for key, digest in digests(settings).items()
        if theirs.get(key) != digest and any(f"{one}.".startswith(f"{key}.") for one in given)
    )


def _changed(settings: Settings) -> Iterator[tuple[str, str]]:
    for name, field in type(settings).model_fields.items():
        value, default = getattr(settings, name), field.get_default(call_default_factory=True)
        if value == default:
            continue
        now, before = _parts(value), _parts(default)
        if now is None or before is None:
            yield name, _text(value)
            continue
        for key, part in now.items():
            if part != before.get(key):
                yield f"{name}.{key}", _text(part)


def _parts(value: Any) -> Mapping[str, Any] | None:
    """What a table consists of; None for a value that is one whole."""
    if isinstance(value, Mapping):
        return value
    return dict(value) if hasattr(value, "model_fields_set") else None


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Choice):
        return [value.use, dict(value.options)]
    return value.model_dump() if hasattr(value, "model_dump") else str(value)
