"""End what a launch has left, wherever it went: its environment still names the launch that it comes from.

The launcher and its watchdog share this file. The watchdog loads it by its path, so it imports nothing but the
standard library, `kiro_core.processes` and `kiro_local.belonging`.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from kiro_core.processes import ProcessMark, mark_of, signal_process, start_token
from kiro_local.belonging import BECOMING, GONE, launch_of

LIMIT_S = 2.0
"""How long one sweep may take; only what the kernel cannot end takes longer than some milliseconds."""

_PACE_S = 0.01
_CHASES = 200
"""How often to look at the newest process alone: of a chain in which each starts the next one and ends, it is the last.

One that only forks lives for 100 us on a fast machine, as long as two looks at a single process take.
"""


class Swept(NamedTuple):
    """How many processes were ended of each launch, and the launches of which some are still there."""

    ended: Mapping[str, int]
    left: frozenset[str]


NOTHING = Swept({}, frozenset())
"""What a sweep comes to that finds nothing."""


def end_launches(leaders: Mapping[str, ProcessMark], limit_s: float | None = None) -> Swept:
    """Kill all that belongs to these launches, each with the process that it began with; again until none is found.

    A process belongs to a launch when it has our user and its environment names the launch, or when it is in the
    group of the first process and that one is proven to live. Nothing else is touched. Out of reach is a process
    that has changed its user or hides its environment, and one that has left both group and environment behind.
    Without /proc (macOS) nothing can be proven and nothing is done.
    """
    until = time.monotonic() + (limit_s or LIMIT_S)
    sweep = _Sweep(leaders)
    while True:
        known = len(sweep.ended)
        left = sweep.look()
        if not left or time.monotonic() > until:
            return Swept(Counter(sweep.ended.values()), left)
        if len(sweep.ended) == known and not sweep.unsure:
            time.sleep(_PACE_S)  # all of them are on their way out, in the kernel


class _Sweep:
    """What several looks at all processes have in common."""

    def __init__(self, leaders: Mapping[str, ProcessMark]) -> None:
        self.ended: dict[ProcessMark, str] = {}
        self.unsure = False
        self._leaders = leaders
        self._here = mark_of(os.getpid())
        self._seen: set[int] = set()

    def look(self) -> frozenset[str]:
        """End all that is found; the launches of which something was there, or may have been."""
        again, self.unsure = self.unsure, False
        try:
            found = self._end_holders()
            for _ in range(_CHASES if again and self.unsure else 0):
                self._end(_newest())
        except OSError:  # no descriptor is left to look with
            return frozenset(self._leaders)
        found |= self._end_groups()
        return frozenset(self._leaders if self.unsure else found)

    def _end_groups(self) -> set[str]:
        """Kill the groups whose leaders live; the launches that they are of."""
        found = set()
        for launch, leader in self._leaders.items():
            # A stopped process does not end by itself, so its number stays that of its group until that is killed.
            if _signalled(leader, signal.SIGSTOP):
                with suppress(ProcessLookupError):  # somebody else ends it too
                    os.killpg(leader.pid, signal.SIGKILL)
                self.ended[leader] = launch
                found.add(launch)
        return found

    def _end_holders(self) -> set[str]:
        """Kill all whose environment names a launch, but for the leaders; the launches that were named.

        Who has ended before it was looked at may have started another one that is not in the list.
        """
        found = set()
        for pid in sorted((int(name) for name in _listed() if name.isdigit()), reverse=True):
            launch = launch_of(pid, self._leaders)
            if launch in self._leaders:
                self._end(pid)
                found.add(launch)
            self.unsure = self.unsure or launch == BECOMING or (launch == GONE and pid not in self._seen)
            self._seen.add(pid)
        return found

    def _end(self, pid: int) -> None:
        # First who it is, then whether it is ours: the signal goes to that very process or to none.
        mark = self._here._replace(pid=pid, started=start_token(pid))
        launch = launch_of(pid, self._leaders)
        if launch not in self._leaders or mark in (self._leaders[launch], self._here):
            return
        if _signalled(mark, signal.SIGKILL):
            self.ended[mark] = launch


def _listed() -> list[str]:
    try:
        return os.listdir("/proc")  # noqa: PTH208 - names, and many
    except FileNotFoundError:
        return []


def _newest() -> int:
    """The process that was started last, or 0."""
    try:
        with open("/proc/loadavg", "rb", buffering=0) as file:  # noqa: PTH123 - a Path is slow
            return int(file.read().split()[-1])
    except FileNotFoundError:
        return 0


def _signalled(mark: ProcessMark, number: int) -> bool:
    try:
        return signal_process(mark, number)
    except PermissionError:
        return False
