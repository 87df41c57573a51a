"""Frees a session that another process holds: by asking it, and if a person insists, by ending that very process."""

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
@click.option("--force", is_flag=True, help="Take it away from whoever works on it.")
@click.option("--json", "as_json", is_flag=True, help="Print whom it was taken from as a JSON object.")
@command
def takeover(given: Given, *, session: str, force: bool, as_json: bool) -> int:
    """Free a session that another process holds, or say why it is kept.

    That process is asked to let go of this one session. Without --force it does so when nobody has it
    open there and no turn runs, with --force in any case. One that does not answer is ended by --force, with
    all its sessions, and never another process than that: where it cannot be proven, nothing is ended.
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
        tell(f"{found}: {_said(owner)}")
    return DONE


def _said(owner: Mapping[str, Any]) -> str:
    if not owner:
        return "nobody holds it"
    if owner.get("let_go"):
        return "it was let go of; that process goes on"
    return "taken over; that process has ended, with all its sessions"


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
        tell(error.sentence.removesuffix(error.details.get("reason", "")).rstrip())
    async with progress("waiting for its end"):
        return session, await desk.take_over(session, force=True), None
