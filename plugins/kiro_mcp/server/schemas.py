"""JSON Schemas of what tools take and return, as plain as hosts need them: nothing refers to anything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter

_REQUIRED_OF_FAILURES = ["code", "message", "details", "hint"]


def input_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The schema of a tool's arguments."""
    return _plain(model.model_json_schema())


def output_schema(shape: Any) -> dict[str, Any]:
    """The schema of a tool's result, a `TypedDict`: it also fits a failure.

    Some hosts hold what is returned with `isError` against it too, and would show their own error for ours.
    """
    schema = _plain(TypeAdapter(shape).json_schema(mode="serialization"))
    required = schema.pop("required", [])
    return {**schema, "anyOf": [{"required": required}, {"required": _REQUIRED_OF_FAILURES}]}


def _plain(schema: Mapping[str, Any], named: Mapping[str, Any] | None = None) -> dict[str, Any]:
    named = schema.get("$defs", {}) if named is None else named
    if "$ref" in schema:
        return _plain({**named[schema["$ref"].rpartition("/")[2]], **_without(schema, "$ref")}, named)
    plain = _without(schema, "title", "$defs", "anyOf")
    if plain.get("default") in ("", None):
        plain.pop("default", None)
    if "properties" in plain:
        plain.pop("description", None)  # the docstring of its class
        plain["properties"] = {name: _plain(value, named) for name, value in plain["properties"].items()}
    if "items" in plain:
        plain["items"] = _plain(plain["items"], named)
    if "anyOf" in schema:  # only for `... | None`
        options = [_plain(option, named) for option in schema["anyOf"]]
        plain = {**options[0], **plain, "type": [option["type"] for option in options]}
    return plain


def _without(schema: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in keys}
