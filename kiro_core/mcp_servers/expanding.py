"""Puts environment variables into a configuration, and never lets one that is not set pass for empty text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_VARIABLE = re.compile(r"\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
"""`${VAR}`, `${VAR:-default}`, and `${env:VAR}` as earlier versions of Kiro wrote it in headers."""


class Unusable(Exception):
    """Why an entry is skipped: the field inside of it and the predicate of a sentence, without any value."""

    def __init__(self, field: str, reason: str) -> None:
        """`field` is a path inside the entry with dots, `""` for the entry itself."""
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


def expanded(value: Any, environ: Mapping[str, str], field: str = "") -> Any:
    """The value with each variable in its texts replaced; keys stay as they are.

    Raises:
        Unusable: a variable is neither set nor has a default.

    """
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, environ, field), value)
    if isinstance(value, list):
        return [expanded(item, environ, field) for item in value]
    if isinstance(value, Mapping):
        return {key: expanded(item, environ, f"{field}.{key}" if field else str(key)) for key, item in value.items()}
    return value


def _value(found: re.Match[str], environ: Mapping[str, str], field: str) -> str:
    name, default = found.groups()
    # As in a shell, `:-` stands in for a variable that is empty as well.
    value = environ.get(name) or default if default is not None else environ.get(name)
    if value is None:
        raise Unusable(field, f"needs the environment variable {name}, which is not set")
    return value
