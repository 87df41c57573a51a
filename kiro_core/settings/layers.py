"""Merges sources per key without forgetting where each value came from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NewType, get_origin

from kiro_core.catalog import Choice
from kiro_core.explain import KeyPath, below


@dataclass(frozen=True, slots=True)
class Value:
    """One value as a source wrote it; the source is never printed with it, since it may be a secret."""

    value: Any
    origin: str


Layer = Mapping[KeyPath, Value]
"""One source, flat: the path of each key that holds a value, never a path inside another one."""

VariableName = NewType("VariableName", str)
"""The name of an environment variable: the one kind of key whose capitals count."""


def is_table(annotation: Any) -> bool:
    """Whether values of that type are made of keys."""
    return annotation is Choice or get_origin(annotation) is dict or hasattr(annotation, "model_fields")


def flatten(value: Any, origin: str, annotation: Any, path: KeyPath = ()) -> dict[KeyPath, Value]:
    """One source's tree as a layer; a choice that is written as a name becomes its `use`.

    A list is one value. So is an empty table where a table does not belong: it is there to be refused.
    A source itself, at the empty path, is a table whatever its type.
    """
    if annotation is Choice and isinstance(value, Choice):
        value = {"use": value.use, **value.options}
    elif annotation is Choice and not isinstance(value, Mapping):
        value = {"use": value}
    if not isinstance(value, Mapping) or not (value or not path or is_table(annotation)):
        return {path: Value(value, origin)}
    flat: dict[KeyPath, Value] = {}
    for key, inner in value.items():
        flat |= flatten(inner, origin, below(annotation, str(key)), (*path, str(key)))
    return flat


def overlay(lower: Layer, higher: Layer) -> Layer:
    """The higher layer and what it leaves of the lower: nothing at, above or inside one of its keys."""

    def kept(path: KeyPath) -> bool:
        return not any(path[: len(key)] == key or key[: len(path)] == path for key in higher)

    return {path: value for path, value in lower.items() if kept(path)} | dict(higher)


def merge(layers: Iterable[Layer], choices: Collection[str]) -> Layer:
    """All layers, the lowest first; a layer that names a choice's `use` drops that choice's lower options."""
    merged: Layer = {}
    for layer in layers:
        renamed = {name for name in choices if (name, "use") in layer}
        merged = overlay({path: value for path, value in merged.items() if path[0] not in renamed}, layer)
    return merged


def tree(layer: Layer) -> dict[str, Any]:
    """The layer as nested tables."""
    root: dict[str, Any] = {}
    for path, value in layer.items():
        table = root
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value.value
    return root
