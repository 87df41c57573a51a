"""Shows an operator how a served desk is, for a person; programs get what the desk itself says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kiro_core.cli.tables import print_table
from kiro_core.cli.text import one_line, show

_COLUMNS = ("sessionId", "agent", "engine", "clients", "turn", "waiting")


def print_status(told: Mapping[str, Any], path: Path) -> None:
    """Print a status (see `Desk.status`) of the desk that is reached at `path`."""
    for key, value in _lines(told, path):
        show(f"{key:10}{one_line(value)}\n")
    if sessions := told["sessions"]:
        print_table(_COLUMNS, [[_word(session[column]) for column in _COLUMNS] for session in sessions])


def _lines(told: Mapping[str, Any], path: Path) -> Iterator[tuple[str, str]]:
    sessions, last = told["sessions"], told["reloaded"]
    running, waiting = (sum(session[what] for session in sessions) for what in ("turn", "waiting"))
    yield "desk", f"{told['state']}, pid {told['pid']}, since {told['since']}, version {told['version']}"
    yield "socket", str(path)
    for face in told["faces"]:
        yield "face", face["problem"] or f"{face['use']} {face['place']}"
    yield "sessions", f"{len(sessions)}, agents: {told['agents']}, turns that run: {running}, that wait: {waiting}"
    if last is not None:
        yield "settings", f"read again {last['at']}: {last['report']}"


def _word(value: Any) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
