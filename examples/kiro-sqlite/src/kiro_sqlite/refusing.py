"""Tell in words why a file cannot be used, and what a person can do about it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from kiro_core.errors import Unavailable

from .schema import VERSION

_REASONS = {
    "SQLITE_FULL": ("the disk is full", "Free some space, then try again."),
    "SQLITE_BUSY": ("another process has been writing to it for too long", "See to that process, or raise `busy_s`."),
    "SQLITE_READONLY": ("it is read-only", "Check who owns it and how its disk is mounted."),
    "SQLITE_CANTOPEN": ("it cannot be opened", "Check who owns its folder, and that it is still there."),
    "SQLITE_CORRUPT": ("it is damaged", "`sqlite3 FILE .recover` saves what can be read of it."),
    "SQLITE_NOTADB": ("it is no database", "Set another `path` for the store."),
}


def unavailable(path: Path, error: sqlite3.Error | OSError) -> Unavailable:
    """The error for what the disk or SQLite refuses."""
    name = getattr(error, "sqlite_errorname", "")
    reason, hint = next((told for known, told in _REASONS.items() if name.startswith(known)), (str(error), ""))
    return Unavailable(
        f"The sessions in {path} cannot be used: {reason}.", hint=hint or "Check the disk, then try again."
    )


def removed(path: Path) -> Unavailable:
    """The error for a file that is not the one any more that was opened."""
    return Unavailable(
        f"The sessions in {path} cannot be used: the file was removed or replaced while it was open.",
        hint="End what has it open, put the file back where it was, then begin again.",
    )


def unknown_tables(path: Path, version: int) -> Unavailable:
    """The error for a file with the tables of another version, or of another program."""
    if version <= VERSION:
        return Unavailable(
            f"{path} is no file of kiro-sqlite.", hint="Move it away, or set another `path` for the store."
        )
    return Unavailable(
        f"{path} has tables of version {version}, this version knows version {VERSION}.",
        hint="Update kiro-sqlite, or set another `path` for the store.",
    )
