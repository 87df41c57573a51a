"""Joins a session that another process works on: to talk in it too, or only to look on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import session_ids
from kiro_core.cli.options import Given, command
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.wanted import Wanted

if TYPE_CHECKING:
    from kiro_core.ports import Desk
    from kiro_core.types import SessionId


@click.command(epilog=example("kiro-core sessions attach 3f2a", "kiro-core sessions attach 3f2a --observe"))
@click.argument("session", metavar="ID", shell_complete=session_ids)
@click.option("--observe", is_flag=True, help="Only look on.")
@click.option(
    "--after", metavar="SEQ", type=click.IntRange(min=0), default=0, help="Show only what follows that record."
)
@command
def attach(given: Given, *, session: str, observe: bool, after: int) -> int:
    """Talk in a session that another process works on, as with `kiro-core chat`; both see everything.

    With --observe it only shows what happens there, until the session ends. The beginning of an ID is enough.

    Exit codes: 0 done, 1 failure, 2 usage, 130 ended by a signal.
    """
    import anyio

    from kiro_core.cli.chat.observing import observe as look_on
    from kiro_core.cli.chat.place import hold

    found = at_desk(given, partial(_at_work, session))
    wanted = Wanted(session=found, after=after, observe=observe)
    return anyio.run(partial(look_on if observe else hold, given, wanted), backend="asyncio")


async def _at_work(written: str, desk: Desk) -> SessionId:
    """The session that is meant.

    Raises:
        SessionNotFound: nobody works on it.

    """
    from kiro_core.cli.finding import find_stored
    from kiro_core.errors import SessionNotFound
    from kiro_core.types import RUN

    session = await find_stored(desk, written)
    if not await desk.holder(session):
        is_run = (await desk.info(session)).kind == RUN
        raise SessionNotFound(
            f"Nobody works on the session {session} now.",
            hint=f"Go on with it: kiro-core {'crew resume' if is_run else 'chat --session'} {session[:8]}",
        )
    return session
