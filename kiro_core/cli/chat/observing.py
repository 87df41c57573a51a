"""A chat in which nobody speaks: it shows a session that others work on, until that session ends."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from typing import Any

import anyio

from kiro_core import claim_stdio
from kiro_core.cli.chat.client import ChatClient
from kiro_core.cli.chat.plain import Plain
from kiro_core.cli.chat.told import Told
from kiro_core.cli.failing import CANCELLED, DONE, FAILED
from kiro_core.cli.finding import find_session
from kiro_core.cli.opening import open_session
from kiro_core.cli.options import Given
from kiro_core.cli.signals import follow_signals
from kiro_core.cli.wanted import Wanted
from kiro_core.errors import SessionNotFound, unwrapped
from kiro_core.types import SessionId

_NO_RECORD = 2**62
"""Behind every record: what happens is shown by the session itself, and only its end is waited for."""


async def observe(given: Given, wanted: Wanted) -> int:
    """Show the session until it ends, or a signal does; the exit code.

    Raises:
        KiroError: it cannot be joined, or its desk has gone.

    """
    codes = [DONE]
    showing = anyio.CancelScope()

    def leave(code: int) -> None:
        codes.append(code)
        showing.cancel()

    async def signalled(_: signal.Signals) -> None:
        leave(CANCELLED)

    at_terminal = sys.stdout.isatty()
    screen = Plain(claim_stdio(), lambda: leave(FAILED), at_terminal=at_terminal)
    with unwrapped():
        async with anyio.create_task_group() as tasks:
            await tasks.start(follow_signals, signalled)
            with showing:
                await _shown(given, wanted, screen)
            tasks.cancel_scope.cancel()
    return max(codes)


async def _shown(given: Given, wanted: Wanted, screen: Plain) -> None:
    client = ChatClient(screen, _follow_nothing)
    # What the others say is as new to whoever looks on as what they have said.
    client.replaying = True
    async with given.desk(given.load(), "chat", agent="", engine="") as desk, desk.attach(client) as agent:
        recorded = await find_session(desk, wanted.session)
        await open_session(agent, wanted.opening(recorded, replay=True))
        with suppress(SessionNotFound):  # that is how one ends which is deleted
            async for _ in desk.watch(SessionId(recorded.id), _NO_RECORD):
                continue
    await screen.end()
    await screen.show(Told("note", "The session has ended."))


def _follow_nothing(_: dict[str, Any]) -> None:
    """Nothing is chosen here."""
