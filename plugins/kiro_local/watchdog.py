"""Ends what a desk has launched when the desk is killed: a process of its own, since one that is killed cleans nothing.

It is run by its path, `python -I -S watchdog.py PROCESSES SWEEPING RECEIPTS DESK`: the files of `kiro_core.processes`
and `kiro_local.sweeping`, which it shares with the desk, the folder of the receipts, and the desk's pid. On stdin it
is told of every launch in a line: `LAUNCH` before it starts, `LAUNCH PID STARTED` when its first process is known,
`LAUNCH .` when nothing is left of it. When the desk has ended, it ends the launches that are left, which are none
after an orderly end.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

_STRAGGLE_MS = 500
_PATIENCE_S = 10.0
"""Longer than a desk takes, since nobody waits: on a busy machine a look at all processes may take its time."""


def main() -> None:
    """Wait for the end of the desk, and clean up behind it."""
    here = _load("kiro_core.processes", sys.argv[1]).mark_of(os.getpid())
    sweeping = _load("kiro_local.sweeping", sys.argv[2])
    launches = _launches(int(sys.argv[4]))
    leaders = {launch: here._replace(pid=pid, started=started) for launch, (pid, started) in launches.items()}
    left = sweeping.end_launches(leaders, _PATIENCE_S).left
    for launch in leaders.keys() - left:
        Path(sys.argv[3], f"{launch}.json").unlink(missing_ok=True)


def _load(name: str, path: str) -> Any:
    """Import a file under a name, without the package that it is in, which would take long to import."""
    module = sys.modules[name] = ModuleType(name)
    SourceFileLoader(name, path).exec_module(module)
    return module


def _launches(desk: int) -> dict[str, tuple[int, str]]:
    """What was left when the desk ended: the pid of each launch and when it started, as far as it was told."""
    launches: dict[str, tuple[int, str]] = {}
    rest = b""
    for chunk in _told(desk):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            launch, *about = line.decode().split()
            if about == ["."]:
                launches.pop(launch, None)
            else:
                launches[launch] = (int(about[0]), about[1]) if len(about) == 2 else (0, "")
    return launches


def _told(desk: int) -> Iterator[bytes]:
    """Read stdin until the desk has ended.

    At the end of the stream it has, and every program that it was starting has begun, which has our cookie from
    then on. But a process that the desk forked may hold the stream open, so its end is also told by a pidfd, where
    there are such, and by our parent's being another.
    """
    poll = select.poll()
    poll.register(0, select.POLLIN)
    watched = -1
    with suppress(AttributeError, OSError):
        watched = os.pidfd_open(desk)
        poll.register(watched, select.POLLIN)
    while ready := dict(poll.poll(None if os.getppid() == desk else _STRAGGLE_MS)):
        if 0 not in ready:
            poll.unregister(watched)
        elif chunk := os.read(0, 65536):
            yield chunk
        else:
            return


if __name__ == "__main__":
    main()
