"""Starts a process for each plugin and waits a bounded time for its report."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, Self

from kiro_core.catalog import Choice, Within
from kiro_core.types import Exit

_COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("child.py")))
_GONE_S = 1.0


def report_on(
    plugins: Iterable[str], choices: Sequence[tuple[str, Choice, bool]], within: Within, limit_s: float
) -> Mapping[str, dict[str, Any]]:
    """Each plugin's report, see `child` for the choices; all work at once, and each has `limit_s` seconds.

    Of these, `within` is how long one choice may take to open and to close.
    """
    until = time.monotonic() + limit_s
    with ExitStack() as stack:
        started = {name: stack.enter_context(_Child(name, choices, within)) for name in plugins}
        return {name: child.report(until, limit_s) for name, child in started.items()}


class _Child:
    """One process, in a group of its own, which ends with the block.

    It reads and writes files: a pipe that is full would make one child wait for its turn to be read.
    """

    def __init__(self, plugin: str, choices: Sequence[tuple[str, Choice, bool]], within: Within) -> None:
        self._order, self._out, self._err = (TemporaryFile() for _ in range(3))  # noqa: SIM115 - closed with the block
        pickle.dump((plugin, choices, within), self._order)
        self._order.seek(0)

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - this program
            _COMMAND, stdin=self._order, stdout=self._out, stderr=self._err, start_new_session=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GONE_S)
        for file in (self._order, self._out, self._err):
            file.close()

    def report(self, until: float, limit_s: float) -> dict[str, Any]:
        try:
            self._process.wait(max(until - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            return self._failed(f"It does not load and open within {limit_s:g} s.")
        report = self._reported()
        if "opened" in report:
            return report
        lines = _content(self._err).strip().splitlines()
        words = f"Its last words: {lines[-1]}" if lines else "It wrote nothing to stderr."
        return self._failed(f"It ends the interpreter with {Exit(self._process.returncode)}.", words)

    def _failed(self, problem: str, hint: str = "") -> dict[str, Any]:
        """What is known of one that has not come to its end."""
        return {"provides": [], "notices": [], "opened": []} | self._reported() | {"problem": problem, "hint": hint}

    def _reported(self) -> dict[str, Any]:
        report: dict[str, Any] = {}
        for line in _content(self._out).splitlines():
            with suppress(ValueError):  # it was ended in the middle of a line
                report = json.loads(line)
        return report


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")
