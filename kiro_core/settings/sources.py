"""Reads the sources, each into a layer whose values know where they were written; the order is decided here only."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiro_core.errors import SettingsError
from kiro_core.settings.environment import CONFIG_VARIABLE, from_environment
from kiro_core.settings.layers import Layer, flatten


def kiro_home(environ: Mapping[str, str]) -> Path:
    """Kiro's folder of the user: `$KIRO_HOME`, else `~/.kiro`."""
    home = environ.get("HOME")
    return Path(environ.get("KIRO_HOME") or (Path(home) if home else Path.home()) / ".kiro").expanduser()


def read_sources(
    arguments: Mapping[str, Any], config: Path | None, environ: Mapping[str, str], schema: Any
) -> tuple[list[Layer], Layer]:
    """File, environment and arguments, the lowest first; and, apart, the variables that are broken JSON.

    `schema` is the model of the settings. With None the values stay as they are written, which is enough
    for whoever cannot afford to import the model and looks at plain text only.

    Raises:
        SettingsError: the file was named and is missing, or it cannot be read.

    """
    from_variables, broken = from_environment(environ, schema)
    return [_from_file(config, environ, schema), from_variables, _from_arguments(arguments, schema)], broken


def _from_arguments(arguments: Mapping[str, Any], schema: Any) -> Layer:
    """Keys as in the file, values typed or nested; None is an argument that was not given."""
    return flatten({name: value for name, value in arguments.items() if value is not None}, "argument --set", schema)


def _from_file(config: Path | None, environ: Mapping[str, str], schema: Any) -> Layer:
    """`config`, else `$KIRO_CORE_CONFIG`, else `kiro.toml` in Kiro's folder, which may be missing.

    Never a file of the working directory, which may be somebody else's.
    """
    path, named_by = kiro_home(environ) / "kiro.toml", ""
    if config is not None:
        path, named_by = config.expanduser(), "argument --config"
    elif environ.get(CONFIG_VARIABLE):
        path, named_by = Path(environ[CONFIG_VARIABLE]).expanduser(), f"environment variable {CONFIG_VARIABLE}"
    try:
        return flatten(tomllib.loads(path.read_text("utf-8")), str(path), schema)
    except FileNotFoundError as error:
        if not named_by:
            return {}
        hint = "Write it, or name another one."
        raise SettingsError(f"The settings file {path} ({named_by}) does not exist.", hint=hint) from error
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsError(f"The settings file {path} is not valid TOML: {error}.") from error
