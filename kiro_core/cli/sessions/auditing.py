"""Tells who decided what of a session's tools, and by which rule."""

from __future__ import annotations

import json
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import session_ids
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given, command
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.text import one_line, show

if TYPE_CHECKING:
    from kiro_core.ports import Desk

_KINDS = ("decision", "unguarded")


@click.command(epilog=example("kiro-core sessions audit 3f2a", "kiro-core sessions audit 3f2a --json | jq .outcome"))
@click.argument("session", metavar="ID", shell_complete=session_ids)
@click.option("--json", "as_json", is_flag=True, help="Print each decision as one JSON object a line.")
@command
def audit(given: Given, *, session: str, as_json: bool) -> int:
    """Show each decision about a tool of the session: what, by which rule or whom, and when.

    What an agent did without asking is shown as unguarded, where somebody watched for it. The beginning of an ID
    is enough.
    """
    at_desk(given, partial(_audited, session, as_json=as_json))
    return DONE


async def _audited(written: str, desk: Desk, *, as_json: bool) -> None:
    from kiro_core.cli.finding import find_stored
    from kiro_core.journal import readable

    session = await find_stored(desk, written)
    async with aclosing(cast("Any", desk.read(session))) as records:
        async for record in records:
            item = readable(record)
            if item is not None and item.kind in _KINDS and isinstance(item.value, dict):
                decided = {"seq": record.seq, "at": item.at, "turn": item.turn, **item.value}
                show(f"{json.dumps(decided, ensure_ascii=False) if as_json else _line(decided)}\n")


def _line(decided: dict[str, Any]) -> str:
    tool = str(decided.get("tool") or "an unidentified tool")
    by = str(decided.get("by") or "")
    rule, origin = str(decided.get("rule") or ""), str(decided.get("origin") or "")
    why = ", ".join(part for part in (by, rule, origin, str(decided.get("reason") or "")) if part)
    words = f"{decided['at']}  {str(decided.get('outcome', '')).ljust(9)}  {tool}: {decided.get('title', '')}"
    return one_line(f"{words}  ({why})" if why else words)
