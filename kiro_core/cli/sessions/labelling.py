"""Gives a session a title, a name and tags by which a person finds it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import session_ids
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given, command
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.text import tell

if TYPE_CHECKING:
    from kiro_core.ports import Desk
    from kiro_core.types import SessionInfo

_RENAMED = ('kiro-core sessions rename 3f2a "Parser rewrite"', "kiro-core sessions rename 3f2a --name parser")
_TAGGED = ("kiro-core sessions tag 3f2a --add review --add urgent", "kiro-core sessions tag 3f2a --remove urgent")


@click.command(epilog=example(*_RENAMED))
@click.argument("session", metavar="ID", shell_complete=session_ids)
@click.argument("title", required=False)
@click.option("--name", metavar="NAME", help='Call it so among the sessions of its folder; "" takes its name away.')
@command
def rename(given: Given, *, session: str, title: str | None, name: str | None) -> int:
    """Give a session another title, or a name for `kiro-core run -s NAME`.

    No agent replaces a TITLE that you gave; an empty one leaves it to the agent again.
    The beginning of an ID is enough.
    """
    if title is None and name is None:
        raise click.UsageError("There is nothing to change: write a TITLE, or --name NAME.")
    info = _relabel(given, session, lambda _: {"title": title, "name": name})
    tell(f"{info.id}: {info.title or 'without a title'}{f', named {info.name}' if info.name else ''}")
    return DONE


@click.command(epilog=example(*_TAGGED))
@click.argument("session", metavar="ID", shell_complete=session_ids)
@click.option("--add", "added", metavar="TAG", multiple=True, help="Give it this tag; may be repeated.")
@click.option("--remove", "removed", metavar="TAG", multiple=True, help="Take this tag away; may be repeated.")
@command
def tag(given: Given, *, session: str, added: Sequence[str], removed: Sequence[str]) -> int:
    """Add tags to a session or take them away; `kiro-core sessions list --tag TAG` finds it then.

    The beginning of an ID is enough.
    """
    if not (added or removed):
        raise click.UsageError("There is nothing to change: write --add TAG or --remove TAG.")
    if both := set(added) & set(removed):
        raise click.UsageError(f"What is to happen to {', '.join(sorted(both))}? It is added and removed.")
    info = _relabel(given, session, lambda info: {"tags": {*info.tags, *added} - {*removed}})
    tell(f"{info.id}: {' '.join(info.tags) or 'without tags'}")
    return DONE


def _relabel(given: Given, session: str, changes: Callable[[SessionInfo], dict[str, Any]]) -> SessionInfo:
    async def work(desk: Desk) -> SessionInfo:
        from kiro_core.cli.finding import find_session

        info = await find_session(desk, session)
        return await desk.relabel(info.id, **changes(info))

    return at_desk(given, work)
