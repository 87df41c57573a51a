"""The settings of a desk for whoever looks at them: of what may be secret there are the names alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel

from kiro_core.catalog import Choice
from kiro_core.settings import Settings

_COMMANDS = frozenset({"command", "login"})
"""Keys of argument vectors: an argument may be a secret, the program is none."""


def configuration(settings: Settings, named: Mapping[str, Any]) -> Mapping[str, Any]:
    """See `Desk.configuration`; `named` is what the command line chose beside the settings."""
    chosen = {name: value for name, value in named.items() if name in ("agent", "engine")}
    origins = {**settings.origins, **{name: f"argument --{name}" for name in chosen}}
    return {"values": _shown(settings) | chosen, "origins": origins}


def _shown(model: BaseModel) -> dict[str, Any]:
    """Each field; one that is not printed with its model is a table, of which there are the keys."""
    fields = type(model).model_fields.items()
    return {
        name: _value(name, getattr(model, name)) if field.repr else sorted(getattr(model, name))
        for name, field in fields
    }


def _value(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _value(key, one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_value(name, one) for one in value[: 1 if name in _COMMANDS else None]]
    return _single(value)


def _single(value: Any) -> Any:
    match value:
        case BaseModel():
            return _shown(value)
        case Choice():
            return {"use": value.use, "options": sorted(value.options)}
        case str() if "://" in value:
            return _address(value)
        case _:
            return value


def _address(text: str) -> str:
    """An address without who asks, and without what is asked."""
    parts = urlsplit(text)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
