"""One JSON schema for the whole settings file, so that an editor completes and checks it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from kiro_core.catalog import Choice
from kiro_core.registry import KINDS
from kiro_core.settings import Settings

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Writes a choice that is a default as people write it."""

    def encode_default(self, dft: Any) -> Any:
        """The name of the backend for a choice, also inside of lists and tables."""
        if isinstance(dft, Choice):
            return dft.use
        if isinstance(dft, list):
            return [self.encode_default(each) for each in dft]
        if isinstance(dft, BaseModel):
            return {name: self.encode_default(value) for name, value in dft}
        return super().encode_default(dft)


def settings_schema(provided: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The schema, with the options of each `{kind, name, summary, schema}`; a schema of None takes any options."""
    schema = Settings.model_json_schema(schema_generator=_Generator)
    definitions = schema.setdefault("$defs", {})
    for one in provided:
        definitions |= (one["schema"] or {}).get("$defs", {})
    properties = schema["properties"]
    properties["store"] |= _choice(KINDS["kiro_stores"], provided)
    properties["launcher"] |= _choice(KINDS["kiro_launchers"], provided)
    properties["agent_sources"]["items"] = _choice(KINDS["kiro_agents"], provided)
    properties["middlewares"]["items"] = _choice(KINDS["kiro_middlewares"], provided)
    properties["serve"]["items"] = _choice(KINDS["kiro_transports"], provided)
    return {"$schema": _DIALECT, **schema, "title": "The settings of kiro_core"}


def _choice(kind: str, provided: Sequence[dict[str, Any]]) -> dict[str, Any]:
    mine = [one for one in provided if one["kind"] == kind]
    if not mine:
        return {}  # nothing is known of any, so nothing is refused
    return {"anyOf": [{"enum": [one["name"] for one in mine]}, *(_with_options(one) for one in mine)]}


def _with_options(one: dict[str, Any]) -> dict[str, Any]:
    options = {key: value for key, value in (one["schema"] or {"type": "object"}).items() if key != "$defs"}
    options["properties"] = {"use": {"const": one["name"]}, **options.get("properties", {})}
    options["required"] = ["use", *options.get("required", ())]
    return {**options, "description": one["summary"]}
