"""How much the suite tries: for how long, how often at least, and which round when one is to be repeated.

| variable | meaning |
|---|---|
| `CRASH_SECONDS` | how long all of it lasts, about; unset: a few rounds of each part, always the same ones |
| `CRASH_ROUND` | one round by its name, as a finding tells it: it alone is played, for that time again and again |
| `CRASH_JSON` | where the figures are written as JSON |

The least number of kills grows with the time, so that five minutes are 3000 of contenders for a lock and 300 of desks.
A machine that is too slow for that gets three times the time.
"""

import os
import threading
import time
from itertools import count, repeat

import pytest

FULL = "CRASH_SECONDS" in os.environ
SECONDS = float(os.environ.get("CRASH_SECONDS", "0"))
_REPEATED = os.environ.get("CRASH_ROUND", "")


class Effort:
    """The rounds of one part of the suite.

    It has `share` of the time, and kills `each_second` for every second of all the time at least. It is `systematic`
    when every step is to be tried once.
    """

    def __init__(self, part, *, share, each_second):
        if _REPEATED and _REPEATED.partition(" ")[0] != part:
            pytest.skip(f"CRASH_ROUND is {_REPEATED!r}")
        self.part = part
        self._repeated = _REPEATED.partition(" ")[2]
        self.systematic = FULL and not self._repeated
        self._least = each_second * SECONDS
        self._stopped = False
        self._begun = time.monotonic()
        self._until, self._latest = self._begun + share * SECONDS, self._begun + 3 * share * SECONDS

    def enough(self, kills, *, tried):
        """Whether it is time to end: so many were killed, and every step was `tried`. A short run ends by itself."""
        now = time.monotonic()
        late = now >= self._latest or (now >= self._until and kills >= self._least)
        return self._stopped or (FULL and late and (tried or not self.systematic))

    def stop(self):
        """Let everybody who plays come to an end."""
        self._stopped = True

    def rounds(self, full, short):
        """The names of the rounds to play, which end in a short run only; for several threads."""
        if self._repeated:
            return Shared(repeat(self._repeated) if FULL else iter([self._repeated]))
        return Shared(iter(full if FULL else short))

    @property
    def seconds(self):
        """How long it has taken so far."""
        return round(time.monotonic() - self._begun)

    def named(self, name):
        """How a round is repeated."""
        return f"CRASH_ROUND='{self.part} {name}'"


def seeds():
    """Names of rounds that chance decides, in every run others."""
    return (f"random {seed}" for seed in count(time.time_ns() // 1000 % 10**9))


class Shared:
    """An iterator for several threads."""

    def __init__(self, items):
        self._items = items
        self._lock = threading.Lock()

    def __iter__(self):
        return self

    def __next__(self):
        with self._lock:
            return next(self._items)
