"""What `run` does about a session that another process holds: it fails, waits, or ends the other run first."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import anyio

from kiro_core.cli.progress import progress
from kiro_core.cli.text import tell
from kiro_core.errors import Held
from kiro_core.ports import Desk
from kiro_core.types import SessionId

T = TypeVar("T")

_ENDS_BY_SIGINT = "kiro-core run"
"""The program that a SIGINT ends, with its one session; any other may serve more than this one."""


class Busy:
    """A session that another process may hold; it is waited for until `limit_s` seconds from now."""

    def __init__(self, desk: Desk, session: SessionId, limit_s: float) -> None:
        """Begin to count."""
        self._desk = desk
        self._session = session
        self._deadline = anyio.current_time() + limit_s

    async def opened(self, attempt: Callable[[], Awaitable[T]], when_busy: str) -> T:
        """What `attempt` returns, which opens the session; `when_busy` is that of an `Order`.

        Only one owner is interrupted: whoever is faster then is waited for.

        Raises:
            Held: the session stays held, or its owner cannot be interrupted.
            KiroError: the attempt failed otherwise.

        """
        known: dict[str, Any] = {}
        with ExitStack() as stack:
            while True:
                try:
                    return await attempt()
                except Held as error:
                    if when_busy == "reject" or "owner" not in error.details:
                        raise
                    held, owner = error, error.details["owner"]
                if when_busy == "interrupt" and owner != known:
                    # Still held like this once we have hold of the process: then that process is the owner.
                    known, interrupt = owner, stack.enter_context(_hold_of(held))
                    continue
                if when_busy == "interrupt":
                    interrupt()
                    when_busy = "queue"
                await self._freed(held)

    async def _freed(self, held: Held) -> None:
        if not sys.stderr.isatty():
            tell(f"{held.sentence} Waiting for it; --when-busy reject does not.")
        with anyio.CancelScope(deadline=self._deadline) as waiting:
            async with progress(f"waiting for {_called(held.details['owner'])}"):
                await self._desk.freed(self._session)
        if waiting.cancelled_caught:
            raise held


@contextmanager
def _hold_of(held: Held) -> Iterator[Callable[[], None]]:
    """A way to interrupt the process that the error names: that one, and none that gets its pid later.

    Where the system has no such handle (pidfd_open(2)), the pid alone must do.

    Raises on entering or when it is called:
        Held: it is not a `run` of this user on this machine.

    """
    owner = held.details["owner"]
    if owner.get("program") != _ENDS_BY_SIGINT or not owner.get("here"):
        raise _out_of_reach(held)
    with ExitStack() as stack:
        send = partial(os.kill, owner["pid"])
        if hasattr(os, "pidfd_open"):
            try:
                fd = os.pidfd_open(owner["pid"])
            except ProcessLookupError:
                yield lambda: None
                return
            stack.callback(os.close, fd)
            send = partial(signal.pidfd_send_signal, fd)
        yield partial(_interrupt, send, held)


def _interrupt(send: Callable[[signal.Signals], None], held: Held) -> None:
    try:
        with suppress(ProcessLookupError):
            send(signal.SIGINT)
    except PermissionError as error:
        raise _out_of_reach(held) from error


def _out_of_reach(held: Held) -> Held:
    return Held(
        f"{held.sentence.removesuffix('.')}, which cannot be interrupted from here.",
        hint="Close it there, or leave out --when-busy interrupt to wait for it.",
        **held.details,
    )


def _called(owner: dict[str, Any]) -> str:
    return f"pid {owner['pid']} on {owner['host']}" if owner.get("pid") else "another process"
