"""Finds the session that a person means: by the beginning of its id, by its name, or as the last one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from kiro_core.cli.wanted import Wanted
from kiro_core.errors import SessionNotFound
from kiro_core.ports import Desk
from kiro_core.session import require_kept
from kiro_core.types import RUN, Page, SessionId, SessionInfo, SessionQuery

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
            # One without an agent's own session has never been open: its start failed, or it is the run of a crew.
            if info.agent_session or (wanted.name and info.kind != RUN):
                return info
    if wanted.last:
        hint = "Begin one: leave out --last."
        raise SessionNotFound(f"There is no session yet in {wanted.folder}.", hint=hint)
    return None


async def find_session(desk: Desk, written: str, *, trashed: bool | None = False) -> SessionInfo:
    """The only session whose id begins so, with at least 4 characters: one in the trash or not, None for either.

    A whole id that is asked for in the trash may be one of a session that is not there.

    Raises:
        SessionNotFound: there is none, or more than one, or too little of an id was written.

    """
    if len(written) == _WHOLE:
        info = await desk.info(SessionId(written))
        if trashed is False:
            require_kept(info)
        return info
    where = (False, True) if trashed is None else (trashed,)
    infos = {info.id: info for each in where async for info in all_sessions(desk, SessionQuery(trashed=each))}
    return infos[_only({session: info.title for session, info in infos.items()}, written)]


async def find_stored(desk: Desk, written: str) -> SessionId:
    """The same for its id alone, of a session that may be one that cannot be read.

    Raises:
        SessionNotFound: as above; nothing is looked for where a whole id was written.

    """
    if len(written) == _WHOLE:
        return SessionId(written)
    titles: dict[SessionId, str] = {}
    async with aclosing(all_pages(desk, SessionQuery())) as pages:
        async for page in pages:
            titles |= {info.id: info.title for info in page.items} | dict.fromkeys(page.damaged, "cannot be read")
    return _only(titles, written)


def _only(titles: Mapping[SessionId, str], written: str) -> SessionId:
    if len(written) < _SHORTEST:
        raise SessionNotFound(
            f"'{written}' is too short for a session's id.", hint=f"Write at least {_SHORTEST} characters of it."
        )
    found = [session for session in titles if session.startswith(written.lower())]
    if len(found) != 1:
        many = "\n".join(f"{session}  {titles[session]}" for session in found)
        raise SessionNotFound(
            f"{len(found) or 'No'} session{'s have ids that begin' if found else ' has an id that begins'}"
            f" with '{written}'.",
            hint=many or "`kiro-core sessions list` shows what there is, and with --trash what is in the trash.",
        )
    return found[0]


async def all_sessions(desk: Desk, query: SessionQuery) -> AsyncGenerator[SessionInfo, None]:
    """Every session that matches, the newest first."""
    async with aclosing(all_pages(desk, query)) as pages:
        async for page in pages:
            for info in page.items:
                yield info


async def all_pages(desk: Desk, query: SessionQuery) -> AsyncGenerator[Page[SessionInfo], None]:
    """The same page by page; each tells which sessions cannot be read."""
    cursor = None
    while True:
        page = await desk.sessions(query, cursor, _PAGE)
        yield page
        cursor = page.cursor
        if cursor is None:
            return
