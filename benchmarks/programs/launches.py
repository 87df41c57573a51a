"""Opens a program again and again, by the launcher `local` and by `subprocess.Popen`: a manager of its own to measure.

A number in a line on stdin has each of them open so many, in turn; a line of JSON on stdout tells the seconds that one
took by each. What the first launch of all took is told before.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time

import anyio

from kiro_core import Registry, load_settings
from kiro_core.ports import Launcher
from kiro_core.types import Command

_PROGRAM = "/bin/true"


def _popened() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([_PROGRAM], stdin=pipe, stdout=pipe, stderr=pipe, cwd="/") as process:
        process.wait()


async def _launched(launcher: Launcher) -> None:
    async with launcher.launch(Command([_PROGRAM], "/")) as process:
        await process.wait()


async def _tell(launcher: Launcher, count: int, *, ours_first: bool) -> None:
    took = {}
    for ours in (ours_first, not ours_first):
        begins = time.perf_counter()
        for _ in range(count):
            if ours:
                await _launched(launcher)
            else:
                _popened()
        took["local" if ours else "popen"] = (time.perf_counter() - begins) / count
    print(json.dumps(took), flush=True)


async def main() -> None:
    """Measure as often as is asked for."""
    async with Registry(only={"local"}).launchers.open(load_settings({}).launcher) as launcher:
        ours_first = True
        await _tell(launcher, 1, ours_first=ours_first)
        while count := sys.stdin.readline():  # nothing else runs in this loop
            ours_first = not ours_first
            await _tell(launcher, int(count), ours_first=ours_first)


if __name__ == "__main__":
    anyio.run(main)
