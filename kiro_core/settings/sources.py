"""Reads the three sources, each into a layer whose values know where they were written."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiro_core.errors import SettingsError
from kiro_core.settings.layers import Layer, flatten
from kiro_core.settings.models import Settings

CONFIG_VARIABLE = "KIRO_CORE_CONFIG"
"""Names the settings file; the one `KIRO_CORE_` variable that is not a setting."""


def kiro_home(environ: Mapping[str, str]) -> Path:
    """Kiro's folder of the user: `$KIRO_HOME`, else `~/.kiro`."""
    home = environ.get("HOME")
    return Path(environ.get("KIRO_HOME") or (Path(home) if home else Path.home()) / ".kiro").expanduser()


def from_arguments(arguments: Mapping[str, Any]) -> Layer:
    """Keys as in the file, values typed or nested; None is an argument that was not given."""
    return flatten({name: value for name, value in arguments.items() if value is not None}, "argument --set", Settings)


def from_file(config: Path | None, environ: Mapping[str, str]) -> Layer:
    """`config`, else `$KIRO_CORE_CONFIG`, else `kiro.toml` in Kiro's folder, which may be missing.

    Never a file of the working directory, which may be somebody else's.

    Raises:
        SettingsError: it was named and is missing, or it cannot be read.

    """
    path, named_by = kiro_home(environ) / "kiro.toml", ""
    if config is not None:
        path, named_by = config.expanduser(), "argument --config"
    elif environ.get(CONFIG_VARIABLE):
        path, named_by = Path(environ[CONFIG_VARIABLE]).expanduser(), f"environment variable {CONFIG_VARIABLE}"
    try:
        return flatten(tomllib.loads(path.read_text("utf-8")), str(path), Settings)
    except FileNotFoundError as error:
        if not named_by:
            return {}
        hint = "Write it, or name another one."
        raise SettingsError(f"The settings file {path} ({named_by}) does not exist.", hint=hint) from error
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise SettingsError(f"The settings file {path} is not valid TOML: {error}.") from error
