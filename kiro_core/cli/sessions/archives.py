"""Writes a session into an archive, and brings one back from it."""

from __future__ import annotations

import json
import sys
from contextlib import aclosing, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import session_ids
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given, command
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.text import show, tell

if TYPE_CHECKING:
    from kiro_core.ports import Desk
    from kiro_core.types import SessionInfo

_STANDARD = "-"
_EXPORTED = ("kiro-core sessions export 3f2a parser.tar", "kiro-core sessions export 3f2a - | zstd > parser.tar.zst")
_IMPORTED = ("kiro-core sessions import parser.tar", "zstd -dc parser.tar.zst | kiro-core sessions import -")


@click.command(epilog=example(*_EXPORTED))
@click.argument("session", metavar="ID", shell_complete=session_ids)
@click.argument("file", metavar="[FILE|-]", required=False, type=click.Path())
@click.option("--force", is_flag=True, help="Replace FILE if it exists.")
@command
def export(given: Given, *, session: str, file: str | None, force: bool) -> int:
    """Write a session into an archive that `kiro-core sessions import` verifies and takes.

    FILE is ID.tar in the current folder if you leave it out, readable by you alone; - is stdout.
    The beginning of an ID is enough.
    """
    if file == _STANDARD and sys.stdout.isatty():
        raise click.UsageError("An archive is nothing for a terminal: name a FILE, or pipe it on.")

    async def work(desk: Desk) -> None:
        from kiro_core.cli.finding import find_session
        from kiro_core.cli.sessions.files import new_file

        info = await find_session(desk, session)
        path = Path(file or f"{info.id}.tar")
        target = nullcontext(sys.stdout.buffer) if file == _STANDARD else new_file(path, force=force)
        with target as out:
            async with aclosing(desk.export_session(info.id)) as chunks:
                async for chunk in chunks:
                    out.write(chunk)
        if file != _STANDARD:
            tell(f"{info.id}: exported to {path}")

    at_desk(given, work)
    return DONE


@click.command("import", epilog=example(*_IMPORTED))
@click.argument("file", metavar="FILE|-", type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True))
@click.option("--new-id", is_flag=True, help="Import a copy under an id of its own.")
@click.option("--json", "as_json", is_flag=True, help="Print the session's metadata as a JSON object.")
@command
def import_(given: Given, *, file: str, new_id: bool, as_json: bool) -> int:
    """Verify an archive and store its session; print its id.

    An archive that does not verify is refused, and nothing of it is stored. A FILE of - is stdin.
    """
    if file == _STANDARD and sys.stdin.isatty():
        raise click.UsageError("There is no archive: name a FILE, or pipe one in.")

    async def work(desk: Desk) -> SessionInfo:
        from kiro_core.cli.sessions.files import chunks_of

        return await desk.import_session(chunks_of(None if file == _STANDARD else Path(file)), new_id=new_id)

    info = at_desk(given, work)
    show((json.dumps(asdict(info), indent=2) if as_json else info.id) + "\n")
    return DONE
