"""Reads the settings that stand in environment variables, whose values are text whatever their type."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, get_args, get_origin

from kiro_core.explain import KeyPath, below
from kiro_core.settings.layers import Layer, Value, VariableName, flatten, is_table, overlay

PREFIX = "KIRO_CORE_"
DELIMITER = "__"

CONFIG_VARIABLE = "KIRO_CORE_CONFIG"
"""Names the settings file."""

_NO_SETTINGS = {CONFIG_VARIABLE, "KIRO_CORE_LAUNCH"}
"""The latter tells of a process which launches it is part of; a desk may be started inside of one."""


def from_environment(environ: Mapping[str, str], schema: Any) -> tuple[Layer, Layer]:
    """Every `KIRO_CORE_` variable, the more specific over the less; and, apart, those that are broken JSON.

    `schema` is the model of the settings.
    """
    layer: Layer = {}
    broken: Layer = {}
    paths = {name: _path(name, schema) for name in environ if name.startswith(PREFIX) and name not in _NO_SETTINGS}
    for name, path in sorted(paths.items(), key=lambda item: (len(item[1]), item[1])):
        origin, annotation = f"environment variable {name}", _annotation(path, schema)
        try:
            value = _decoded(environ[name], annotation)
        except ValueError:
            broken = overlay(broken, {path: Value(None, origin)})
        else:
            layer = overlay(layer, flatten(value, origin, annotation, path))
    return layer, broken


def _path(name: str, schema: Any) -> KeyPath:
    """`KIRO_CORE_LIMITS__START_S` -> `("limits", "start_s")`; only a variable's name keeps its capitals."""
    path: KeyPath = ()
    parts = name.removeprefix(PREFIX).split(DELIMITER)
    while parts:
        if _holds_variables(_annotation(path, schema)):
            return (*path, DELIMITER.join(parts))
        path = (*path, parts.pop(0).lower())
    return path


def _annotation(path: KeyPath, schema: Any) -> Any:
    annotation = schema
    for key in path:
        annotation = below(annotation, key)
    return annotation


def _holds_variables(annotation: Any) -> bool:
    return get_origin(annotation) is dict and get_args(annotation)[0] is VariableName


def _decoded(text: str, annotation: Any) -> Any:
    """Text by the type that belongs there: JSON for tables, JSON or comma-separated for lists.

    An option of a backend has a type that only its plugin knows: JSON where it is JSON.

    Raises:
        ValueError: broken JSON.

    """
    begin = text.lstrip()[:1]
    if get_origin(annotation) is list:
        return json.loads(text) if begin == "[" else [part.strip() for part in text.split(",") if part.strip()]
    if is_table(annotation):
        return json.loads(text) if begin == "{" else text
    if annotation is None and begin in {"[", "{"}:
        with suppress(ValueError):
            return json.loads(text)
    return text
