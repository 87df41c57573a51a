"""Ends what a desk has launched when the desk is killed: a process of its own, since one that is killed cleans nothing.

It is run by its path, `python -I -S watchdog.py PROCESSES BELONGING SWEEPING RECEIPTS DESK`: the files of
`kiro_core.processes`, `kiro_local.belonging` and `kiro_local.sweeping`, which it shares with the desk, the folder of
the receipts, and the desk's pid. On stdin it is told of every launch in a line: `LAUNCH` before it starts,
`LAUNCH PID STARTED` when its first process is known, `LAUNCH .` when nothing is left of it. When the desk has ended,
it ends the launches that are left, which are none after an orderly end: so it imports next to nothing until then,
and what it shares with the desk it has only read, lest an update of the program takes it away.
"""

import os
import select
import sys

_STRAGGLE_MS = 500
_PATIENCE_S = 10.0
"""Longer than a desk takes, since nobody waits: on a busy machine a look at all processes may take its time."""

_SHARED = ("kiro_core.processes", "kiro_local.belonging", "kiro_local.sweeping")


def main() -> None:
    """Wait for the end of the desk, and clean up behind it."""
    *shared, receipts, desk = sys.argv[1:]
    _yield_to_others()
    sources = [_read(path) for path in shared]
    if launches := _launches(_Desk(int(desk))):
        for name, path, source in zip(_SHARED, shared, sources, strict=True):
            _load(name, path, source)
        _end(launches, receipts)


def _yield_to_others() -> None:
    """Have each word of the desk read when there is time, and not take the processor from the desk that says it."""
    try:
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    except (AttributeError, OSError):  # not Linux, or not allowed
        return


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - `pathlib` takes longer than all else that is done here
        return file.read()


def _load(name: str, path: str, source: bytes) -> None:
    """Import a file under a name, without the package that it is in, which would take long to import."""
    module = sys.modules[name] = type(sys)(name)
    exec(compile(source, path, "exec"), module.__dict__)  # noqa: S102 - as an import does it, with a file of ours


def _end(launches: dict[str, tuple[int, str]], receipts: str) -> None:
    """End the launches, and remove the receipts of those of which nothing is left."""
    from kiro_core.processes import mark_of
    from kiro_local.sweeping import end_launches

    here = mark_of(os.getpid())
    leaders = {launch: here._replace(pid=pid, started=started) for launch, (pid, started) in launches.items()}
    for launch in leaders.keys() - end_launches(leaders, _PATIENCE_S).left:
        try:
            os.unlink(f"{receipts}/{launch}.json")  # noqa: PTH108 - see above
        except FileNotFoundError:
            continue


class _Desk:
    """The desk, which tells of its launches and ends."""

    def __init__(self, pid: int) -> None:
        """Its end is also told by a pidfd, where there are such, and by our parent's being another.

        For a process that the desk forked may hold its stream to us open.
        """
        self._pid = pid
        self._poll = select.poll()
        self._poll.register(0, select.POLLIN)
        try:
            self._ending = os.pidfd_open(pid)
            self._poll.register(self._ending, select.POLLIN)
        except (AttributeError, OSError):
            self._ending = -1

    def told(self) -> bytes:
        """What comes next; nothing when the desk has ended.

        At the end of the stream it has, and every program that it was starting has begun, which has our cookie from
        then on.
        """
        while ready := dict(self._poll.poll(None if os.getppid() == self._pid else _STRAGGLE_MS)):
            if 0 in ready:
                return os.read(0, 65536)
            self._poll.unregister(self._ending)
        return b""


def _launches(desk: _Desk) -> dict[str, tuple[int, str]]:
    """What was left when the desk ended: the pid of each launch and when it started, as far as it was told."""
    launches: dict[str, tuple[int, str]] = {}
    rest = b""
    while chunk := desk.told():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            launch, *about = line.decode().split()
            if about == ["."]:
                launches.pop(launch, None)
            else:
                launches[launch] = (int(about[0]), about[1]) if len(about) == 2 else (0, "")
    return launches


if __name__ == "__main__":
    main()
