"""Starts the desk as a process of its own, without a terminal, and tells whether it is ready or why it is not."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from kiro_core.cli.failing import DONE, FAILED
from kiro_core.cli.text import show, tell_failure
from kiro_core.engines.logins import own_program
from kiro_core.settings import kiro_home

_START_S = 60.0
_END_S = 10.0
_LARGEST_LOG = 1024 * 1024
_LAST_LINES = 10
_LAST_BYTES = 8192


def start_in_background() -> int:
    """Start this very command again without `--background`, and wait until it is ready; its exit code if it failed."""
    path = kiro_home(os.environ) / "run" / "serve.log"
    with _log(path) as log:
        begin = log.seek(0, os.SEEK_END)
        told, telling = os.pipe()
        arguments = [argument for argument in sys.argv[1:] if argument != "--background"]
        process = subprocess.Popen(  # noqa: S603 - this program
            [own_program(), *arguments, "--ready-fd", str(telling)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(telling,),
            start_new_session=True,
        )
    os.close(telling)
    try:
        ready = _said(told)
    except BaseException:
        _end(process)
        raise
    finally:
        os.close(told)
    if ready:
        show(f"{ready}\nIts log is {path}.\n")
        return DONE
    reason = "has ended" if ready is not None else f"was not ready within {_START_S:g} s and was ended"
    code = _end(process, patient=ready is not None)
    tell_failure(f"The desk {reason}; its log is {path}.", _last_lines(path, begin))
    return code if code > 0 else FAILED


def _log(path: Path) -> BinaryIO:
    """Open the log for more; one that has become long is kept as the one before."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if path.stat().st_size > _LARGEST_LOG:
            path.replace(path.with_name(f"{path.name}.1"))
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "ab")


def _said(told: int) -> str | None:
    """What it says when it is ready, `""` when it has ended before, None when it did neither in time."""
    said = b""
    while True:
        readable, _, _ = select.select([told], [], [], _START_S)
        if not readable:
            return None
        chunk = os.read(told, 4096)
        if not chunk:
            return said.decode().strip()
        said += chunk


def _end(process: subprocess.Popen[bytes], *, patient: bool = False) -> int:
    """Its exit code; one that does not end by itself is ended."""
    if not patient:
        process.terminate()
    try:
        return process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _last_lines(path: Path, begin: int) -> str:
    with path.open("rb") as log:
        log.seek(max(begin, log.seek(0, os.SEEK_END) - _LAST_BYTES))
        return "\n".join(log.read().decode(errors="replace").splitlines()[-_LAST_LINES:])
