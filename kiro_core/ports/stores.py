"""Where agent configurations come from, and where sessions are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import anyio

from kiro_core.types import AgentConfig, AgentSummary, Page, Problem, Record, SessionId, SessionInfo, SessionQuery


class AgentSource(Protocol):
    """Where agent configurations come from; sources are asked in the order of the settings."""

    async def find(self, name: str, cwd: Path) -> AgentConfig | None:
        """The configuration of that name for a session in `cwd`, or None.

        Raises:
            AgentConfigInvalid: the file that should hold it cannot be read.

        """
        ...

    async def names(self, cwd: Path) -> Sequence[AgentSummary]:
        """All configurations that `find` would give, one entry a name."""
        ...

    async def problems(self, cwd: Path) -> Sequence[Problem]:
        """What could not be read; the rest still loads."""
        ...


class SessionStore(Protocol):
    """Where sessions are stored.

    Lease, log and metadata are one port, since a stale owner must be refused in the step that writes.
    """

    def create(self, info: SessionInfo) -> AbstractAsyncContextManager[SessionDb]:
        """Make a session and hold it; entering takes the lease, leaving gives it back.

        Raises on entering:
            Held: the id exists already, here or elsewhere.
            Unavailable: the store cannot write.

        """
        ...

    def open(self, session: SessionId) -> AbstractAsyncContextManager[SessionDb]:
        """Hold a session that exists; a torn last batch is cut on entering.

        Raises on entering:
            SessionNotFound: no session has the id.
            Held: another owner lives. `details["owner"]` says who: `{epoch, pid, host, since, program, here}`,
                as far as the store knows; `here` tells that the process of that pid, seen from here, is it.
            RecordInvalid: its metadata is damaged or of a newer format.

        """
        ...

    async def get(self, session: SessionId) -> SessionInfo:
        """Its metadata, held or not.

        Raises:
            SessionNotFound, RecordInvalid.

        """
        ...

    async def freed(self, session: SessionId) -> None:
        """Wait until nobody holds a session; who wants it opens it then, and may find that somebody was faster.

        Raises:
            SessionNotFound, Unavailable.

        """
        ...

    async def list(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> Page[SessionInfo]:
        """Metadata of matching sessions, the newest `updated` first; damaged ones are left out.

        Raises:
            ValueError: the cursor is not one of ours.

        """
        ...

    def read(self, session: SessionId, after: int = 0) -> AsyncIterator[Record]:
        """Whole batches behind a sequence number, in order, without holding the session.

        Raises:
            SessionNotFound: when the iteration begins; also later, when it is deleted meanwhile and not
                all of it can be read any more.

        """
        ...

    async def delete(self, session: SessionId) -> None:
        """Remove a session with all that belongs to it, damaged or not; its id is free on return.

        It takes the lease first, so that no owner loses its session. A crash in the midst leaves the
        session whole, or not listed and not to be opened; deleting it again removes what is left.

        Raises:
            SessionNotFound: no session has the id, which whoever wants it gone may take for success.
            Held: an owner lives.
            Unavailable: the store cannot write; the outcome is unknown.

        """
        ...


class SessionDb(Protocol):
    """One session, opened and held."""

    @property
    def info(self) -> SessionInfo:
        """Its metadata as last written."""
        ...

    @property
    def epoch(self) -> int:
        """The fence: grows with every acquisition, stamped on every record."""
        ...

    @property
    def head(self) -> int:
        """The sequence number of the last record, 0 for none."""
        ...

    @property
    def lost(self) -> anyio.Event:
        """Set when the lease is gone: the owner must stop its agent."""
        ...

    async def append(self, batch: Sequence[bytes]) -> int:
        """Write a batch of bodies (each one strict JSON object without a newline) and return the new head.

        Whole or not at all, in order, written on return. Idempotent per epoch and head: after
        `Unavailable` the same batch may be repeated.

        Raises:
            Fenced: the lease has ended or a higher epoch exists; never retry.
            Unavailable: the outcome is unknown.

        """
        ...

    async def commit(self) -> None:
        """Make everything that was appended durable before returning.

        Raises:
            Fenced, Unavailable.

        """
        ...

    async def tail(self, count: int) -> Sequence[Record]:
        """The last `count` records, oldest first, at a cost that does not grow with the log."""
        ...

    async def put_info(self, info: SessionInfo) -> None:
        """Replace the metadata atomically.

        Raises:
            Fenced, Unavailable.

        """
        ...
