"""Searches stored sessions: what they are called, then what was said in the newest; bounded in number and time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import anyio

from kiro_core.errors import KiroError
from kiro_core.ports import Desk
from kiro_core.types import SessionInfo, SessionQuery
from kiro_mcp.service.messages import messages
from kiro_mcp.service.showing import one_line

_LISTED = 1000
_READ = 50
_PAGE = 100
_LOOKING_S = 5.0
_AROUND = 60

Place = tuple[str, str]
"""Where a text was found: in a label, or in what "user" or "assistant" said; and an excerpt."""


class Search:
    """One search for a text, in any case of its letters, which finds `limit` sessions at most."""

    def __init__(self, desk: Desk, text: str, limit: int) -> None:
        """Look for `text`; `complete` is False when something was left out."""
        self.places: dict[str, Place] = {}
        self.complete = True
        self._desk = desk
        self._text = text.casefold()
        self._limit = limit

    async def look(self, hidden: frozenset[str]) -> list[SessionInfo]:
        """Sessions that have the text, but those that are `hidden`; their `places` are there then.

        Raises:
            KiroError: the store cannot be listed.

        """
        infos: list[SessionInfo] = []
        with anyio.move_on_after(_LOOKING_S) as scope:
            async for info in self._listed():
                if info.id not in hidden:
                    infos.append(info)
                    self._keep(info, self._label(info))
            await self._read([info for info in infos if info.id not in self.places])
        self.complete = self.complete and not scope.cancelled_caught and len(self.places) <= self._limit
        return [info for info in infos if info.id in self.places][: self._limit]

    async def _listed(self) -> AsyncIterator[SessionInfo]:
        cursor, count = None, 0
        while count < _LISTED:
            page = await self._desk.sessions(SessionQuery(), cursor, _PAGE)
            for info in page.items:
                if not info.kind:
                    yield info
            count, cursor = count + len(page.items), page.cursor
            if cursor is None:
                return
        self.complete = False

    async def _read(self, infos: list[SessionInfo]) -> None:
        """Look into what was said, as long as there are too few."""
        for count, info in enumerate(infos):
            if count == _READ or len(self.places) >= self._limit:
                self.complete = False
                return
            try:
                self._keep(info, await self._said(info))
            except KiroError:
                self.complete = False  # it was deleted meanwhile, or is damaged

    def _keep(self, info: SessionInfo, place: Place | None) -> None:
        if place is not None:
            self.places[info.id] = place

    def _label(self, info: SessionInfo) -> Place | None:
        labels = {"id": info.id, "title": info.title, "name": info.name, "tag": " ".join(info.tags), "folder": info.cwd}
        found = ((where, one_line(label)) for where, label in labels.items() if self._text in label.casefold())
        return next(found, None)

    async def _said(self, info: SessionInfo) -> Place | None:
        """The newest message that has it."""
        found: list[Place] = []
        async with aclosing(self._desk.told(info.id)) as items, aclosing(messages(items, found.clear)) as said:
            async for message in said:
                at = message.content.casefold().find(self._text)
                if at >= 0:
                    around = message.content[max(0, at - _AROUND) : at + len(self._text) + _AROUND]
                    found[:] = [(message.role, one_line(around))]
        return found[0] if found else None
