"""Tells from a session's record what became of its MCP servers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import show
from kiro_core.cli.wanted import Wanted
from kiro_core.errors import SessionNotFound
from kiro_core.journal import Entry
from kiro_core.recovery.reading import entries, told

if TYPE_CHECKING:
    from kiro_core.ports import Desk
    from kiro_core.types import Record

_OPENED = ("opened", "configured")
_STARTED = ("_kiro.dev/mcp/server_initialized", "kiro.dev/mcp/server_initialized")
_STATES = {"mcp_failed": "failed", "mcp_late": "late", "mcp_unsupported": "left out", "mcp_left_out": "left out"}
"""What a notice says of a server (see `McpStart` and `notices_of`)."""


def show_states(given: Given, session: str, cwd: Path, *, as_json: bool) -> int:
    """Show them, on lines or as an array; without a `session` those of the newest in `cwd`.

    Raises:
        SessionNotFound: there is none.

    """
    listed = at_desk(given, partial(_states, Wanted(session=session, last=not session, cwd=cwd)))
    if as_json:
        show(json.dumps(listed, indent=2) + "\n")
        return DONE
    print_table(("server", "state", "reason"), [(one["name"], one["state"], one["reason"]) for one in listed])
    return DONE


async def _states(wanted: Wanted, desk: Desk) -> list[dict[str, str]]:
    from kiro_core.cli.finding import find_wanted

    info = await find_wanted(desk, wanted)
    if info is None:
        raise SessionNotFound(f"There is no session yet in {wanted.folder}.")
    return await states(desk.read(info.id))


async def states(records: AsyncIterator[Record]) -> list[dict[str, str]]:
    """`{name, state, reason}` of each server of the last time that the session was opened.

    The state is "asked" where nobody has told more: most agent programs do not. Else it is "started", "failed",
    "late" (it may have started since) or "left out".
    """
    known: dict[str, tuple[str, str]] = {}
    async for item in entries(records):
        if item.kind in _OPENED:
            known = {str(name): ("asked", "") for name in _names(told(item).get("mcpServers"))}
        else:
            known |= _told(item)
    return [{"name": name, "state": state, "reason": reason} for name, (state, reason) in known.items()]


def _told(item: Entry) -> dict[str, tuple[str, str]]:
    """What an entry tells of a server."""
    if item.kind == "notice":
        said = told(item)
        state, name = _STATES.get(str(said.get("notice"))), said.get("serverName")
        return {str(name): (state, str(said.get("error") or ""))} if state and name else {}
    if item.kind != "update" or item.frame.method not in _STARTED:
        return {}
    name = item.frame.params.get("serverName")
    return {str(name): ("started", "")} if name else {}


def _names(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()
