"""Writes the files of a plugin into a folder of its own, all of them or none."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from kiro_core.errors import KiroError


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts by their paths in a folder that is new or empty.

    Raises:
        KiroError: it is neither, or cannot be written; then it is as it was.

    """
    there = folder.is_dir()
    if folder.exists() and (not there or any(folder.iterdir())):
        raise KiroError(f"{folder} exists, and is no empty folder.", hint="Choose another one with --directory.")
    try:
        folder.mkdir(exist_ok=True)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
    except OSError as error:
        _take_back(folder, there=there)
        reason = error.strerror or str(error)
        raise KiroError(
            f"{folder} cannot be written: {reason}.", hint="Choose another one with --directory."
        ) from error


def _take_back(folder: Path, *, there: bool) -> None:
    """Remove what was written; the folder itself stays where it was there before."""
    for path in folder.iterdir() if there else [folder]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
