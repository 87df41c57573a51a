"""The one way from arguments, environment and file to settings, or to an error that names each wrong key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args, get_origin

from pydantic import ValidationError

from kiro_core.catalog import Choice
from kiro_core.explain import Finding, bare, dotted, findings, refusal, unknown
from kiro_core.settings.layers import Layer, merge, overlay, tree
from kiro_core.settings.models import Settings
from kiro_core.settings.sources import read_sources

_CHOICES = {name: field.default for name, field in Settings.model_fields.items() if bare(field.annotation) is Choice}
_LISTS = [
    name
    for name, field in Settings.model_fields.items()
    if get_origin(field.annotation) is list and bare(get_args(field.annotation)[0]) is Choice
]


def load_settings(
    arguments: Mapping[str, Any] = MappingProxyType({}),
    *,
    config: Path | None = None,
    environ: Mapping[str, str] | None = None,
    defaults: Layer = MappingProxyType({}),
) -> Settings:
    """Merge arguments over environment over one TOML file, per key, then validate.

    `arguments` has the keys of the file, nested where the file is; None is "not given". `config` is the
    file; `environ` stands for the process's own; `defaults` is for keys of which no source says anything.
    A choice of a backend and its options stand together: a higher source that names the backend drops the
    lower options.

    Raises:
        SettingsError: anything wrong in any source; all of it in one error, with key and origin.

    """
    layers, broken = read_sources(arguments, config, os.environ if environ is None else environ, Settings)
    layer = overlay(defaults, merge(layers, _CHOICES))
    origins = {path: value.origin for path, value in [*layer.items(), *broken.items()]}
    known = {path: value for path, value in layer.items() if path[0] in Settings.model_fields}
    found = [unknown((name,), Settings) for name in dict.fromkeys(path[0] for path in layer if path not in known)]
    found += [Finding(path, "is not valid JSON") for path in broken]
    try:
        settings = Settings.merged(_with_choices(known), {dotted(path): origin for path, origin in origins.items()})
    except ValidationError as error:
        # Chained safely: these models hide the values from its text.
        raise refusal("Settings", [*found, *findings(error, Settings)], origins) from error
    if found:
        raise refusal("Settings", found, origins)
    return settings


def _with_choices(layer: Layer) -> dict[str, Any]:
    """Nested tables, but each choice as one object that knows where its parts were set."""
    values = tree(layer)
    for name in values.keys() & _CHOICES.keys():
        options = dict(values[name])
        origins = {path[1:]: value.origin for path, value in layer.items() if path[0] == name}
        values[name] = Choice(options.pop("use", _CHOICES[name].use), options, origins)
    for name in _LISTS:
        listed = layer.get((name,))
        if listed and isinstance(listed.value, list):
            values[name] = [_located(written, listed.origin) for written in listed.value]
    return values


def _located(written: Any, origin: str) -> Any:
    """A choice in a list, which has one origin as a whole; what is no choice stays for the validation to refuse."""
    try:
        return replace(Choice.of(written), origins={(): origin})
    except ValueError:
        return written
