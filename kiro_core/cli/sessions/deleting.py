"""Deletes sessions, after a question that only a person or `--yes` can answer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from kiro_core.cli.agreeing import agrees, require_person
from kiro_core.cli.commands import example
from kiro_core.cli.completing import session_ids
from kiro_core.cli.failing import DENIED, DONE
from kiro_core.cli.options import Given, command
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.text import one_line, tell

if TYPE_CHECKING:
    from kiro_core.ports import Desk
    from kiro_core.types import SessionId


@click.command(epilog=example("kiro-core sessions delete 3f2a", "kiro-core sessions delete 3f2a 81c0 --yes"))
@click.argument("written", metavar="ID...", nargs=-1, required=True, shell_complete=session_ids)
@click.option("--yes", is_flag=True, help="Do not ask.")
@command
def delete(given: Given, *, written: Sequence[str], yes: bool) -> int:
    """Delete sessions for good, with all that was said in them.

    The beginning of an ID is enough, also of one in the trash. What an agent program keeps of its own is not touched.

    Exit codes: 0 done, 1 failure, 2 usage, 5 the answer was no.
    """
    if not yes:
        require_person("say --yes to delete without a question")
    found = at_desk(given, partial(_find, written))
    if not yes and not _agrees(found):
        tell("Nothing was deleted.")
        return DENIED
    at_desk(given, partial(_delete, found))
    return DONE


async def _find(written: Sequence[str], desk: Desk) -> dict[SessionId, str]:
    """The sessions that are meant, with what tells a person which they are."""
    from kiro_core.cli.finding import find_session
    from kiro_core.errors import RecordInvalid
    from kiro_core.types import SessionId

    found: dict[SessionId, str] = {}
    for text in written:
        try:
            info = await find_session(desk, text, trashed=None)
        except RecordInvalid:
            found[SessionId(text)] = "its metadata cannot be read"
        else:
            found[info.id] = info.name or info.title
    return found


def _agrees(found: dict[SessionId, str]) -> bool:
    lines = [f"{session}: {one_line(title)}" if title else session for session, title in found.items()]
    return agrees(lines, "Delete this session?" if len(lines) == 1 else f"Delete these {len(lines)} sessions?")


async def _delete(found: dict[SessionId, str], desk: Desk) -> None:
    for session in found:
        await desk.delete(session)
        tell(f"{session}: deleted")
