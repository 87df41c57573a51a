"""Follows a session at a terminal or in a script: what is recorded, and then what comes, whoever works on it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import session_ids
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given, command
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.text import printable, show, tell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kiro_core.ports import Desk
    from kiro_core.types import Record


@click.command(epilog=example("kiro-core sessions watch 3f2a", "kiro-core sessions watch 3f2a --after 120 --json"))
@click.argument("session", metavar="ID", shell_complete=session_ids)
@click.option("--after", metavar="SEQ", type=click.IntRange(min=0), default=0, help="Only what follows that record.")
@click.option("--json", "as_json", is_flag=True, help="Print each record as one JSON object a line.")
@command
def watch(given: Given, *, session: str, after: int, as_json: bool) -> int:
    """Show what was said and done in a session, and then what comes, until it ends.

    Whoever works on it is not disturbed, and does not see you. The beginning of an ID is enough.

    Exit codes: 0 nobody works on it any more, 1 failure, 2 usage, 130 ended by Ctrl-C.
    """
    at_desk(given, partial(_watched, session, after, as_json=as_json))
    return DONE


async def _watched(written: str, after: int, desk: Desk, *, as_json: bool) -> None:
    from contextlib import aclosing

    from kiro_core.cli.finding import find_stored

    session = await find_stored(desk, written)
    async with aclosing(desk.watch(session, after)) as records:
        await (_show_json if as_json else _show_text)(records)
    tell(f"{session}: nobody works on it now")


async def _show_text(records: AsyncIterator[Record]) -> None:
    from kiro_core.cli.transcript import transcript

    async for text in transcript(records):
        show(f"{printable(text)}\n\n")


async def _show_json(records: AsyncIterator[Record]) -> None:
    async for record in records:
        show(record_line(record) + "\n")


def record_line(record: Record) -> str:
    """A record as one JSON object: its body is one with keys of its own, so it is extended and not decoded."""
    return f'{{"seq": {record.seq}, "epoch": {record.epoch}, {record.body[1:].decode()}'
