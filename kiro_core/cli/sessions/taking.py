"""Frees a session whose owner does not let go of it, by ending that very process, if a person insists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import session_ids
from kiro_core.cli.failing import DONE, FAILED
from kiro_core.cli.options import Given, command
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.text import show, tell, tell_failure

if TYPE_CHECKING:
    from kiro_core.errors import Held
    from kiro_core.ports import Desk
    from kiro_core.types import SessionId


@click.command(epilog=example("kiro-core sessions takeover 3f2a", "kiro-core sessions takeover 3f2a --force"))
@click.argument("session", metavar="ID", shell_complete=session_ids)
@click.option("--force", is_flag=True, help="End the process that holds it, with all its sessions.")
@click.option("--json", "as_json", is_flag=True, help="Print whom it was taken from as a JSON object.")
@command
def takeover(given: Given, *, session: str, force: bool, as_json: bool) -> int:
    """Say who holds a session; with --force, end that process, so that the session is free.

    The whole process ends, with all the sessions that it has: it is asked first, and killed if it does
    not. It is never another process than that one: where that cannot be proven, nothing is ended.
    The beginning of an ID is enough.

    Exit codes: 0 it is free now, 1 it is held, 2 usage.
    """
    found, owner, held = at_desk(given, partial(_taken, session, force=force))
    if as_json:
        show(json.dumps({"session": found, "owner": owner, "held": held is not None}, indent=2) + "\n")
    if held is not None:
        tell_failure(held.sentence, held.hint)
        return FAILED
    if not as_json:
        tell(f"{found}: taken over; that process has ended, with all its sessions" if owner else _FREE % found)
    return DONE


_FREE = "%s: nobody holds it"


async def _taken(written: str, desk: Desk, *, force: bool) -> tuple[SessionId, Mapping[str, Any], Held | None]:
    """The session, who has it or had it, and why it is not free."""
    from kiro_core.cli.finding import find_stored
    from kiro_core.cli.progress import progress
    from kiro_core.errors import Held

    session = await find_stored(desk, written)
    try:
        return session, await desk.take_over(session), None
    except Held as error:
        if not force:
            return session, error.details.get("owner", {}), error
        tell(error.sentence)
    async with progress("waiting for its end"):
        return session, await desk.take_over(session, force=True), None
