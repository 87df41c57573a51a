"""A command that prints an answer and ends: how long it takes, and what it uses."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.interrupts import held

_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds until all of the answer was printed and until the end, and what it and its children used.

    `cpu_s` is of all of them, `memory` of the biggest one, in a unit of the system: for ratios only.
    """

    answer_s: float
    whole_s: float
    cpu_s: float
    memory: float


def take(argv: Sequence[str], cwd: Path, env: Mapping[str, str], *, words: bytes, times: int) -> Took:
    """Run a command whose answer has some words so many times at least.

    Raises:
        RuntimeError: it failed, hung, or said them less often.

    """
    begins, pipe = time.perf_counter(), subprocess.PIPE
    with tempfile.TemporaryFile() as stderr, ExitStack() as ending:
        with held():
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=stderr, cwd=cwd, env=env, bufsize=0
            )
            ending.callback(_end, process)
        limit = threading.Timer(_LIMIT_S, process.kill)
        limit.daemon = True
        ending.callback(limit.cancel)
        limit.start()
        answered = _read(process, words, times)
        _, status, used = os.wait4(process.pid, 0)
        ends = time.perf_counter()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode or not answered:
            stderr.seek(0)
            told = stderr.read()[-500:].decode(errors="replace")
            raise RuntimeError(f"{Path(argv[0]).name} ended with {process.returncode}. {told}")
        return Took(answered - begins, ends - begins, used.ru_utime + used.ru_stime, used.ru_maxrss)


def _read(process: subprocess.Popen[bytes], words: bytes, times: int) -> float:
    """Read to the end; when all of the answer was there, or 0."""
    said, answered, rest = 0, 0.0, b""
    with process.stdout as stdout:  # type: ignore[union-attr] # it is a pipe
        while chunk := os.read(stdout.fileno(), 1 << 20):
            rest += chunk
            said += rest.count(words)
            rest = rest[1 - len(words) :]
            if not answered and said >= times:
                answered = time.perf_counter()
    return answered


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        process.kill()
        process.wait()
