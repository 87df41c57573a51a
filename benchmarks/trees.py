"""What a program and all that it has started use, read from /proc."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

_PACE_S = 0.02


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for parent in found:
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def memory_mb(pids: Iterable[int]) -> float:
    """The memory of processes in MiB: what several share counts once, in equal parts (PSS)."""
    return sum(_pss_kb(pid) for pid in pids) / 1024


def threads(pid: int) -> int:
    """How many threads a process has."""
    return sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())


def descriptors(pid: int) -> int:
    """How many descriptors a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def naming(word: str, entry: str) -> list[int]:
    """The processes with that word in their command line and that entry in their environment."""
    return [int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _names(folder, word, entry)]


def until(true: Callable[[], bool], limit_s: float) -> bool:
    """Look again and again whether it is so; False when it was not in time."""
    ends = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > ends:
            return False
        time.sleep(_PACE_S)
    return True


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _names(folder: Path, word: str, entry: str) -> bool:
    try:
        command, environment = ((folder / name).read_bytes().split(b"\0") for name in ("cmdline", "environ"))
    except OSError:
        return False
    return word.encode() in command and entry.encode() in environment
