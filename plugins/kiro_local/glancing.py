"""See at a glance that nothing of a launch is left: whoever was there before a launch began is no part of it.

A sweep reads the environment of every process of the machine. A glance lists them, and reads those of the newcomers.
One that was there before and takes the environment of a launch over by `exec`, as a build daemon that was asked over
a socket may, is found by the watchdog and by the next start only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from kiro_core.processes import ProcessMark
from kiro_local.belonging import launch_of

_MANY = 512
"""From so many processes on, listing them takes longer than the event loop should wait."""
_FEW = 32
"""So many newcomers are looked at; where there are more, a sweep takes hardly longer."""


class _Met(NamedTuple):
    """A process by the inode of its folder in /proc, which no other one with its pid gets, and when we first met it."""

    inode: int
    glance: int


class Glances:
    """Remembers since which glance each process of the machine is known; `now` counts them."""

    def __init__(self) -> None:
        """Have met nobody."""
        self.now: int = 0
        self._met: dict[int, _Met] = {}

    @property
    def short(self) -> bool:
        """Whether one is a matter of an instant, and not for a thread."""
        return 0 < len(self._met) < _MANY

    def meet(self) -> None:
        """Meet all that are here, so that who comes later is known to be a newcomer.

        Raises:
            OSError: no descriptor is left to look with.

        """
        glance = self.now + 1
        self._met = {
            pid: met if (met := self._met.get(pid)) is not None and met.inode == inode else _Met(inode, glance)
            for pid, inode in _listed()
        }
        self.now = glance  # behind the list: what begins while it is made may be in it, and is a newcomer all the same

    def clear(self, leaders: Mapping[str, ProcessMark], since: int) -> bool:
        """Whether it is certain that nothing is left of launches, of which each began behind the glance `since`.

        False says nothing: something may be left, or have gone just now and started another, or it cannot be told.
        """
        try:
            self.meet()
        except OSError:
            return False
        newcomers = [pid for pid, met in self._met.items() if met.glance > since]
        led = any(leader.pid in self._met for leader in leaders.values())
        return not led and len(newcomers) <= _FEW and all(launch_of(pid, leaders) == "" for pid in newcomers)


def _listed() -> list[tuple[int, int]]:
    with os.scandir("/proc") as entries:
        return [(int(entry.name), entry.inode()) for entry in entries if entry.name.isdigit()]
