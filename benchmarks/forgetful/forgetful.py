"""A store that keeps nothing: with it the program's own way is measured without the log's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import anyio

from kiro_core import Provider, hookimpl
from kiro_core.errors import SessionNotFound
from kiro_core.ports import SessionStore
from kiro_core.types import NO_CONTACT, Contact, Message, Page, Record, Report, SessionId, SessionInfo, SessionQuery


class ForgetfulDb:
    """Implements `SessionDb`: it counts what it is given."""

    epoch = 1

    def __init__(self, info: SessionInfo) -> None:
        """Hold a session that is nowhere."""
        self.info = info
        self.head = 0
        self.lost = anyio.Event()

    async def append(self, batch: Sequence[bytes], *, consume: Sequence[str] = ()) -> int:
        """See `SessionDb.append`."""
        if consume:
            raise ValueError("No message is ever pending.")
        self.head += len(batch)
        return self.head

    async def commit(self) -> None:
        """Nothing is behind."""

    async def tail(self, _: int) -> Sequence[Record]:
        """Nothing is kept."""
        return ()

    async def pending(self) -> Sequence[Message]:
        """Nobody can put anything there."""
        return ()

    async def woken(self) -> None:
        """So nothing ever comes."""
        await anyio.sleep_forever()

    async def put_info(self, info: SessionInfo) -> None:
        """See `SessionDb.put_info`."""
        self.info = info


class ForgetfulStore:
    """Implements `SessionStore`: every session is new, and unknown when it has ended."""

    @asynccontextmanager
    async def create(self, info: SessionInfo, _: Contact = NO_CONTACT) -> AsyncIterator[ForgetfulDb]:
        """See `SessionStore.create`."""
        yield ForgetfulDb(info)

    @asynccontextmanager
    async def open(self, session: SessionId, _: Contact = NO_CONTACT) -> AsyncIterator[ForgetfulDb]:
        """Refuse: nothing is kept."""
        _unknown(session)
        yield  # makes it a generator, as the decorator wants it

    async def get(self, session: SessionId) -> SessionInfo:
        """Refuse: nothing is kept."""
        _unknown(session)

    async def delete(self, session: SessionId, *, trashed: str = "") -> None:  # noqa: ARG002 - the port has it
        """Refuse: nothing is kept."""
        _unknown(session)

    async def holder(self, session: SessionId) -> Mapping[str, Any]:
        """Refuse: nothing is kept."""
        _unknown(session)

    async def verify(self, session: SessionId, *, repair: bool = False) -> Report:  # noqa: ARG002 - the port has it
        """Refuse: nothing is kept."""
        _unknown(session)

    async def evict(self, session: SessionId, _: float) -> Mapping[str, Any]:
        """Refuse: nothing is kept."""
        _unknown(session)

    async def freed(self, session: SessionId) -> None:
        """Refuse: nothing is kept."""
        _unknown(session)

    async def put(self, session: SessionId, _: str, __: bytes) -> bool:
        """Refuse: nothing is kept."""
        _unknown(session)

    def wake(self, session: SessionId) -> None:
        """Nothing ever comes."""

    async def list(self, _: SessionQuery, __: str | None = None, ___: int = 50) -> Page[SessionInfo]:
        """Nothing is kept."""
        return Page(())

    async def read(self, session: SessionId, _: int = 0) -> AsyncIterator[Record]:
        """Refuse: nothing is kept."""
        _unknown(session)
        yield  # as in `open`


def _unknown(session: SessionId) -> NoReturn:
    raise SessionNotFound(f"The session {session} was forgotten.", hint="Choose a store that keeps sessions.")


@asynccontextmanager
async def _open(_: None) -> AsyncIterator[SessionStore]:
    yield ForgetfulStore()


@hookimpl
def kiro_stores() -> Iterator[Provider[SessionStore, None]]:
    """Offer the store `forgetful`."""
    yield Provider("forgetful", _open, summary="keeps nothing")
