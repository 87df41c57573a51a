"""A prompt stands in the configuration or in a file of its own; a folder may only name files of its own."""

from __future__ import annotations

import os
from pathlib import Path

from kiro_agents.reading import Unreadable

SCHEME = "file://"


def prompt_file(written: str, folder: Path) -> Path | None:
    """The file that `file://...` names: absolute, under `~`, or relative to `folder`; None for inline text.

    Raises:
        Unreadable: the home folder of `~user` is unknown.

    """
    if not written.startswith(SCHEME):
        return None
    try:
        return folder / Path(written.removeprefix(SCHEME)).expanduser()
    except RuntimeError as error:
        raise Unreadable("names a home folder that is unknown") from error


def is_inside(path: Path, folder: Path) -> bool:
    """Whether `path` is in `folder` once every symbolic link is resolved; what cannot be resolved is not."""
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except (OSError, ValueError):
        return False
