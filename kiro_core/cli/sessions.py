"""Shows what is on record, without holding or starting anything."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiro_core.cli.commands import example
from kiro_core.cli.options import Given, command, folder
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import printable, show

if TYPE_CHECKING:
    from kiro_core.ports import Desk
    from kiro_core.types import SessionInfo

Work = Callable[["Desk"], Awaitable[None]]

_SHOWN_AT_ONCE = 50


@click.group(epilog=example("kiro-core sessions list --json", "kiro-core sessions show 3f2a"))
def sessions() -> None:
    """List and show recorded sessions."""


@sessions.command("list", epilog=example("kiro-core sessions list --cwd ."))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@click.option("--limit", type=click.IntRange(min=1), default=_SHOWN_AT_ONCE, show_default=True, help="At most so many.")
@folder("Only sessions of this folder.")
@command
def list_(given: Given, *, as_json: bool, limit: int, cwd: Path | None) -> int:
    """List sessions, the newest first."""

    async def work(desk: Desk) -> None:
        from kiro_core.cli.finding import all_sessions
        from kiro_core.types import SessionQuery

        found: list[SessionInfo] = []
        async for info in all_sessions(desk, SessionQuery(str(cwd or ""))):
            found.append(info)
            if len(found) == limit:
                break
        if as_json:
            show(json.dumps([asdict(info) for info in found], indent=2) + "\n")
        else:
            rows = [(info.id, info.updated, info.agent, info.engine, info.cwd, info.title) for info in found]
            print_table(("session", "updated", "agent", "engine", "folder", "title"), rows)

    return _at_desk(given, work)


@sessions.command("show", epilog=example("kiro-core sessions show 3f2a", "kiro-core sessions show 3f2a --json"))
@click.argument("session", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print the metadata and every record as one JSON object.")
@command
def show_(given: Given, *, session: str, as_json: bool) -> int:
    """Show what was said and done in a session; the beginning of its ID is enough."""
    return _at_desk(given, partial(_show_json if as_json else _show_text, session))


async def _show_text(session: str, desk: Desk) -> None:
    from kiro_core.cli.finding import find_session
    from kiro_core.cli.transcript import transcript

    info = await find_session(desk, session)
    about = {"session": info.id, "title": info.title, "folder": info.cwd, "agent": info.agent, "engine": info.engine}
    show("".join(f"{name}: {value}\n" for name, value in about.items() if value))
    async for text in transcript(desk.read(info.id)):
        show(f"\n{printable(text)}\n")


async def _show_json(session: str, desk: Desk) -> None:
    from kiro_core.cli.finding import find_session

    info = await find_session(desk, session)
    show(f'{{"info": {json.dumps(asdict(info))}, "records": [')
    comma = ""
    async for record in desk.read(info.id):
        # A body is a strict JSON object with keys of its own: it is extended, not decoded.
        show(f'{comma}\n{{"seq": {record.seq}, "epoch": {record.epoch}, {record.body[1:].decode()}')
        comma = ","
    show("\n]}\n")


def _at_desk(given: Given, work: Work) -> int:
    import anyio

    async def at_desk() -> None:
        from kiro_core.dispatcher import open_desk

        settings, registry = given.load()
        async with open_desk(settings, registry) as desk:
            await work(desk)

    anyio.run(at_desk, backend="asyncio")
    return 0
