"""Which launch a process belongs to, wherever it went: its environment names the launches that it comes from.

The watchdog loads it by its path, so it imports nothing but the standard library.
"""

from __future__ import annotations

import os
from collections.abc import Container

COOKIE = "KIRO_CORE_LAUNCH"
"""The variable that names a process's launches, the outermost first, with colons between."""

_NAMED = f"{COOKIE}=".encode()

GONE, BECOMING = "-", "?"
"""In place of a launch: the process has ended, or is becoming another program and has no environment for a moment."""


def own_launches() -> list[str]:
    """The launches that this process itself is part of, the outermost first."""
    return [launch for launch in os.environ.get(COOKIE, "").split(":") if launch]


def launch_of(pid: int, launches: Container[str]) -> str:
    """The one of the launches that a process belongs to, `""` for none of them, `GONE` or `BECOMING`."""
    try:
        content = _environment(pid)
        if not content:
            if _becomes_another(pid):
                return BECOMING
            content = _environment(pid)  # meanwhile it may have become one
    except PermissionError:
        return ""
    except (FileNotFoundError, ProcessLookupError):
        return GONE
    if _NAMED not in content:
        return "" if content else GONE
    named = [entry.removeprefix(_NAMED) for entry in content.split(b"\0") if entry.startswith(_NAMED)]
    return next((id_ for entry in named for id_ in entry.decode(errors="replace").split(":") if id_ in launches), "")


def _environment(pid: int) -> bytes:
    """What it was started with; a process of somebody else is not ours to end, whatever it names."""
    with open(f"/proc/{pid}/environ", "rb", buffering=0) as file:  # noqa: PTH123 - of all processes: a Path is slow
        content = file.read()
        return content if _NAMED not in content or os.fstat(file.fileno()).st_uid == os.geteuid() else b"\0"


def _becomes_another(pid: int) -> bool:
    """Whether it has memory and no environment in it yet: proc(5), `stat`, fields 23 and 51."""
    with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123 - the same
        fields = file.read().rpartition(b")")[2].split()
    return fields[20] != b"0" and fields[48] == b"0"
