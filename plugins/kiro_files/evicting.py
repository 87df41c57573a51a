"""End the process that holds a session, by force but never another one than that: its death frees the kernel's lock."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import Any

import anyio
from anyio import to_thread

from kiro_core.errors import Held
from kiro_core.processes import ProcessMark, signal_process
from kiro_files.files import Files
from kiro_files.lease import Lease
from kiro_files.waiting import wait_until_free

_SIGNING_S = 2.0
"""A new owner has the locks a moment before its name stands there."""

_ELSEWHERE = "End its process where it runs; the session is free as soon as it has ended."
_STUCK = "See what it waits for: a process that waits for a disk cannot be ended."


async def evict_owner(files: Files, timeout_s: float) -> Mapping[str, Any]:
    """Ask the owner to end, and kill it where it does not within `timeout_s`; returns who it was, empty for nobody.

    Raises:
        Held: it cannot be proven, is this process or another user's, or did not end.
        Unavailable: locks are worth nothing in this folder.
        OSError: the lock cannot be tried or waited for.

    """
    found = await _holder(files)
    if found is not None and _mark(found).alive is False:
        await _freed(files, _SIGNING_S)
        found = await _holder(files)
    if found is None:
        return {}
    mark = _mark(found)
    if not mark.alive:
        raise _refused(found, "nothing proves from here which process that is", _ELSEWHERE)
    if mark.pid == os.getpid():
        raise _refused(found, "that is this very process", "Close the session here.")
    for number in (signal.SIGTERM, signal.SIGKILL):
        _send(mark, number, found)
        if await _freed(files, timeout_s):
            return {name: value for name, value in found.details["owner"].items() if name != "here"}
    raise _refused(found, "it has not ended", _STUCK)


async def _holder(files: Files) -> Held | None:
    """The error that names the owner, or None when nobody holds the session."""

    def attempt() -> Held | None:
        try:
            Lease.take(files).release()
        except Held as error:
            return error
        return None

    return await to_thread.run_sync(attempt)


def _mark(found: Held) -> ProcessMark:
    owner = found.details["owner"]
    return ProcessMark(owner["pid"], owner["started"], owner["boot"], owner["namespace"])


async def _freed(files: Files, seconds: float) -> bool:
    with anyio.move_on_after(seconds):
        await wait_until_free(files)
        return True
    return False


def _send(mark: ProcessMark, number: signal.Signals, found: Held) -> None:
    try:
        if signal_process(mark, number):
            signal_process(mark, signal.SIGCONT)  # one that is stopped does not see the other before
    except PermissionError as error:
        raise _refused(found, "it belongs to another user", "Ask them to end it.") from error


def _refused(found: Held, reason: str, hint: str) -> Held:
    return Held(f"{found.sentence.removesuffix('.')}; {reason}.", hint=hint, **found.details)
