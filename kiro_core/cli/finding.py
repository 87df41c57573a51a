"""Finds the session that a person means: by the beginning of its id, by its name, or as the last one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from kiro_core.cli.wanted import Wanted
from kiro_core.errors import SessionNotFound
from kiro_core.ports import Desk
from kiro_core.types import SessionId, SessionInfo, SessionQuery

_WHOLE = 36
_SHORTEST = 4
_PAGE = 200


async def find_wanted(desk: Desk, wanted: Wanted) -> SessionInfo | None:
    """The recorded session to go on with, or None where a new one is to be made.

    Raises:
        SessionNotFound: none has that id, or the folder has no last one.

    """
    if wanted.session:
        return await find_session(desk, wanted.session)
    if wanted.is_new:
        return None
    query = SessionQuery(cwd=str(wanted.folder), name=wanted.name)
    async with aclosing(all_sessions(desk, query)) as sessions:
        async for info in sessions:
            # One without an agent's own session has never been open: its start failed.
            if info.agent_session or wanted.name:
                return info
    if wanted.last:
        hint = "Begin one: leave out --last."
        raise SessionNotFound(f"There is no session yet in {wanted.folder}.", hint=hint)
    return None


async def find_session(desk: Desk, written: str) -> SessionInfo:
    """The only session whose id begins so, with at least 4 characters.

    Raises:
        SessionNotFound: there is none, or more than one, or too little of an id was written.

    """
    if len(written) == _WHOLE:
        return await desk.info(SessionId(written))
    if len(written) < _SHORTEST:
        raise SessionNotFound(
            f"'{written}' is too short for a session's id.", hint=f"Write at least {_SHORTEST} characters of it."
        )
    found = [info async for info in all_sessions(desk, SessionQuery()) if info.id.startswith(written.lower())]
    if len(found) != 1:
        many = "\n".join(f"{info.id}  {info.title}" for info in found)
        raise SessionNotFound(
            f"{len(found) or 'No'} session{'s have ids that begin' if found else ' has an id that begins'}"
            f" with '{written}'.",
            hint=many or "`kiro-core sessions list` shows what there is.",
        )
    return found[0]


async def all_sessions(desk: Desk, query: SessionQuery) -> AsyncGenerator[SessionInfo, None]:
    """Every session that matches, the newest first."""
    cursor = None
    while True:
        page = await desk.sessions(query, cursor, _PAGE)
        for info in page.items:
            yield info
        cursor = page.cursor
        if cursor is None:
            return
