"""Lists the documents of a folder of agents, whatever else somebody has put there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from kiro_core.types import Problem

if TYPE_CHECKING:
    from kiro_core.agentconfig import Loaded

MAX_FILES = 1000
"""So many documents are read of one folder; more are not agents that a person has written."""

_OLD = Path(".amazonq", "cli-agents")


def folder_of_workspace(cwd: Path) -> Path:
    """Where the agents of a working directory are: the name from before Kiro counts while there is no other."""
    return _there(cwd / ".kiro" / "agents", cwd / _OLD)


def folder_of_user(home: Path) -> Path:
    """Where the user's own agents are; a `$KIRO_HOME` of its own replaces the older places too."""
    usual = Path("~/.kiro").expanduser()
    return _there(home / "agents", Path("~/.aws/amazonq/cli-agents").expanduser()) if home == usual else home / "agents"


def read_folder(folder: Path, workspace: str, problems: list[Problem]) -> dict[str, Loaded]:
    """The first document of each name, by file name; whatever is wrong is added to `problems`."""
    found: dict[str, Loaded] = {}
    files = _files(folder, problems)
    for path in islice(files, MAX_FILES):
        from kiro_core.agentconfig import load  # it needs the models of the format, and most folders have no agent

        loaded = load(path, workspace, str(path.relative_to(folder).with_suffix("")))
        if loaded.is_text:
            continue
        problems.extend(loaded.problems)
        first = found.setdefault(loaded.name, loaded)
        if first is not loaded:
            reason = f"{loaded.name!r} is the name of {first.path.relative_to(folder)} already"
            problems.append(Problem(path, "name", reason, loaded.line))
    if next(files, None):
        problems.append(Problem(folder, "", f"holds more than {MAX_FILES} documents; the others are not read"))
    return found


def _there(folder: Path, older: Path) -> Path:
    return older if not os.path.lexists(folder) and older.is_dir() else folder


def _files(folder: Path, problems: list[Problem]) -> Iterator[Path]:
    """Documents in the folder, then in folders below it, which are a part of an agent's name (kiro.dev)."""

    def failed(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            problems.append(Problem(Path(error.filename), "", f"cannot be listed: {error.strerror}"))

    for root, folders, names in os.walk(folder, onerror=failed):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        from kiro_core.agentconfig import SUFFIXES

        for name in sorted(name for name in names if name.endswith(SUFFIXES)):
            path = Path(root, name)
            if str(path.relative_to(folder)).isprintable():
                yield path
            else:  # a stray byte or an escape sequence must reach neither a terminal nor a record
                problems.append(Problem(folder, "", f"holds {name!a}, a file name that cannot be shown"))
