"""Shows what is on record, without holding or starting anything."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import session_ids
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given, command, folder, named
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.sessions.watching import record_line
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import printable, show, tell

if TYPE_CHECKING:
    from kiro_core.ports import Desk
    from kiro_core.types import SessionInfo

_SHOWN_AT_ONCE = 50
_SHORT = 8
_OPTIONAL = ("trashed", "kind", "name", "tags")
_MINUTES = len("2026-01-31T08:00")


@click.command("list", epilog=example("kiro-core sessions list --cwd .", "kiro-core sessions list --tag review --json"))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.option("--limit", type=click.IntRange(min=1), default=_SHOWN_AT_ONCE, show_default=True, help="At most so many.")
@named("--tag", "TAG", "Only sessions with this tag.")
@folder("Only sessions of this folder.")
@click.option("--trash", is_flag=True, help="Only those in the trash.")
@command
def list_(  # noqa: PLR0913 - one keyword for each option
    given: Given, *, as_json: bool, limit: int, tag: str, cwd: Path | None, trash: bool
) -> int:
    """List sessions, the newest first."""
    found, damaged, has_more = at_desk(given, partial(_listed, str(cwd or ""), tag, limit, trashed=trash))
    if as_json:
        show(json.dumps([asdict(info) for info in found], indent=2) + "\n")
    else:
        _print(found)
    if has_more:
        tell(f"There are more than {limit}; --limit says how many are shown.")
    if damaged:
        left_out = "one session that cannot" if damaged == 1 else f"{damaged} sessions that cannot"
        tell(f"Left out: {left_out} be read; `kiro-core sessions verify` tells why.")
    return DONE


async def _listed(
    cwd: str, tag: str, limit: int, desk: Desk, *, trashed: bool
) -> tuple[Sequence[SessionInfo], int, bool]:
    """The sessions that match, how many could not be read, and whether there are more."""
    from kiro_core.cli.finding import all_pages
    from kiro_core.types import SessionQuery

    found: list[SessionInfo] = []
    async with aclosing(all_pages(desk, SessionQuery(cwd, tag=tag, trashed=trashed))) as pages:
        async for page in pages:
            found += page.items
            if page.cursor is None or len(found) > limit:
                break
    return found[:limit], len(page.damaged), len(found) > limit


def _print(found: Sequence[SessionInfo]) -> None:
    """A table; columns that need not be are there where one of the sessions has something for them."""
    columns: dict[str, list[str]] = {
        # The beginning of an id is enough for every command, and a terminal is narrow.
        "session": [info.id[:_SHORT] if sys.stdout.isatty() else info.id for info in found],
        "updated": [_time(info.updated) for info in found],
        "trashed": [_time(info.trashed) for info in found],
        "kind": [info.kind for info in found],
        "agent": [info.agent for info in found],
        "engine": [info.engine for info in found],
        "folder": [info.cwd for info in found],
        "name": [info.name for info in found],
        "tags": [" ".join(info.tags) for info in found],
        "title": [info.title for info in found],
    }
    shown = {name: cells for name, cells in columns.items() if name not in _OPTIONAL or any(cells)}
    print_table(list(shown), list(zip(*shown.values(), strict=True)))


def _time(written: str) -> str:
    return written[:_MINUTES] if sys.stdout.isatty() else written


@click.command("show", epilog=example("kiro-core sessions show 3f2a", "kiro-core sessions show 3f2a --json"))
@click.argument("session", metavar="ID", shell_complete=session_ids)
@click.option("--json", "as_json", is_flag=True, help="Print the metadata and every record as one JSON object.")
@command
def show_(given: Given, *, session: str, as_json: bool) -> int:
    """Show what was said and done in a session; the beginning of its ID is enough."""
    at_desk(given, partial(_show_json if as_json else _show_text, session))
    return DONE


async def _show_text(session: str, desk: Desk) -> None:
    from kiro_core.cli.finding import find_session
    from kiro_core.cli.transcript import transcript
    from kiro_core.types import RUN

    info = await find_session(desk, session)
    about = {
        "session": info.id,
        "kind": info.kind,
        "name": info.name,
        "title": info.title,
        "tags": " ".join(info.tags),
        "folder": info.cwd,
        "agent": info.agent,
        "engine": info.engine,
    }
    show("".join(f"{name}: {value}\n" for name, value in about.items() if value))
    async for text in transcript(desk.read(info.id)):
        show(f"\n{printable(text)}\n")
    if info.kind == RUN:
        tell(f"What its stages came to: kiro-core crew show {info.id[:_SHORT]}")


async def _show_json(session: str, desk: Desk) -> None:
    from kiro_core.cli.finding import find_session

    info = await find_session(desk, session)
    show(f'{{"info": {json.dumps(asdict(info))}, "records": [')
    comma = ""
    async for record in desk.read(info.id):
        show(f"{comma}\n{record_line(record)}")
        comma = ","
    show("\n]}\n")
