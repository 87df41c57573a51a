"""Where agent configurations come from, and where sessions are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from kiro_core.types import NO_CONTACT

if TYPE_CHECKING:
    from kiro_core.types import (
        AgentConfig,
        AgentSummary,
        Contact,
        Message,
        Page,
        Problem,
        Record,
        Report,
        SessionId,
        SessionInfo,
        SessionQuery,
    )


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

    def create(self, info: SessionInfo, contact: Contact = NO_CONTACT) -> AbstractAsyncContextManager[SessionDb]:
        """Make a session and hold it; entering takes the lease, leaving gives it back.

        `contact` is what everybody else is told in `Held`.

        Raises on entering:
            Held: the id exists already, here or elsewhere.
            RecordInvalid: a field cannot be stored, such as the name of a folder that is no Unicode text.
            Unavailable: the store cannot write, or cannot keep a second owner out.

        """
        ...

    def open(self, session: SessionId, contact: Contact = NO_CONTACT) -> AbstractAsyncContextManager[SessionDb]:
        """Hold a session that exists; on entering, a torn last batch is cut, and damage at the end is made a gap.

        Raises on entering:
            SessionNotFound: no session has the id.
            Held: another owner lives. `details["owner"]` says who: `{epoch, pid, started, boot, host, namespace,
                since, program, face, socket, here}`, as far as the store knows; `here` tells that the process
                of that pid, seen from here, is proven to be it.
            RecordInvalid: its metadata is damaged or of a newer format.
            Unavailable: as above.

        """
        ...

    async def get(self, session: SessionId) -> SessionInfo:
        """Its metadata, held or not.

        Raises:
            SessionNotFound, RecordInvalid.

        """
        ...

    async def holder(self, session: SessionId) -> Mapping[str, Any]:
        """Who holds a session at this moment, as in `Held.details["owner"]`; empty when nobody does.

        Raises:
            SessionNotFound: no session has the id.
            Unavailable: it cannot be found out.

        """
        ...

    async def freed(self, session: SessionId) -> None:
        """Wait until nobody holds a session; who wants it opens it then, and may find that somebody was faster.

        Raises:
            SessionNotFound, Unavailable.

        """
        ...

    async def list(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> Page[SessionInfo]:
        """Metadata of matching sessions, the newest `updated` first; damaged ones are left out, and told as such.

        Raises:
            ValueError: the cursor is not one of ours, or the limit is less than 1.

        """
        ...

    def read(self, session: SessionId, after: int = 0) -> AsyncIterator[Record]:
        """Whole batches behind a sequence number, in order, without holding the session.

        What damage has taken is told, never passed over: one record stands for consecutive lost ones, with
        the `seq` of the first and the only body that a store ever makes, in which `at` is empty and `bytes` tells
        how many stood there:

            {"at": "", "kind": "gap", "data": {"first": 7, "last": 9, "bytes": 412}}

        Raises:
            SessionNotFound: when the iteration begins; also later, when it is deleted meanwhile and not
                all of it can be read any more.

        """
        ...

    async def put(self, session: SessionId, message_id: str, body: bytes) -> bool:
        """Put a message into a session's inbox, held or not, from any process; durable on return.

        False where a message with that id is pending already or was settled: who does not know whether it was put
        puts it again. Of settled ones at least the newest `INBOX_REMEMBERED` ids are known.

        Raises:
            SessionNotFound: no session has the id.
            InboxFull: `INBOX_MESSAGES` are pending; none is ever dropped.
            RecordInvalid: the body is no strict JSON object on one line, or has more than `MESSAGE_BYTES`; the id
                is empty, longer than `MESSAGE_ID_CHARACTERS` or not printable; or the inbox is of a newer format.
            Unavailable: the store cannot write; the outcome is unknown, and the same message may be put again.

        """
        ...

    def wake(self, session: SessionId) -> None:
        """Let `SessionDb.woken` of a session that is held through this store return; nothing where it is not.

        What is put through this store does that by itself. Of what other processes put, whoever learns of it tells
        it here, where the store does not notice by itself.
        """
        ...

    async def delete(self, session: SessionId, *, trashed: str = "") -> None:
        """Remove a session with all that belongs to it, damaged or not; its id is free on return.

        It takes the lease first, so that no owner loses its session. A crash in the midst leaves the
        session whole, or not listed and not to be opened; deleting it again removes what is left.

        With `trashed`, it is removed only if, once the lease is taken, its metadata say that it was put into
        the trash then: nobody loses what was restored meanwhile.

        Raises:
            SessionNotFound: no session has the id, which whoever wants it gone may take for success; or
                it is not in the trash since then.
            Held: an owner lives.
            RecordInvalid: with `trashed`, its metadata cannot be read.
            Unavailable: the store cannot write; the outcome is unknown.

        """
        ...

    async def verify(self, session: SessionId, *, repair: bool = False) -> Report:
        """Check everything that is stored of a session; without `repair`, nothing is changed.

        Checked are the order of numbers and epochs, that batches are whole and records readable, the
        metadata, the inbox, and who held it last. With `repair` it is held for the moment; no byte is thrown
        away: what is no record is kept beside, and gaps stay.

        Raises:
            SessionNotFound: nothing is stored under the id.
            RecordInvalid: it is of a newer format.
            Held: it is to be mended, and an owner lives.
            Unavailable: it cannot be read or written.

        """
        ...

    async def evict(self, session: SessionId, timeout_s: float) -> Mapping[str, Any]:
        """End whoever holds a session by force, and return when nobody does: who it was, or nothing if it was free.

        That owner loses all its sessions. It is asked to end first; after `timeout_s` seconds it is killed, and
        waited for as long again.

        Raises:
            SessionNotFound: nothing is stored under the id.
            Held: it cannot be proven from here who the owner is, or it did not end; the sentence says which.
            Unavailable: it cannot be found out.

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

    async def append(self, batch: Sequence[bytes], *, consume: Sequence[str] = ()) -> int:
        """Write a batch of bodies (each one strict JSON object without a newline) and return the new head.

        Whole or not at all, in order, written on return. Idempotent per epoch and head: after
        `Unavailable` the same batch may be repeated.

        `consume` are ids of pending messages, which are settled in the same step: that is as durable as the
        batch, and whatever takes the batch away leaves them pending. A batch is repeated with the same ones.

        Raises:
            ValueError: a message is not pending, or is named twice, or the batch is empty and `consume` is not;
                nothing was written.
            Fenced: the lease has ended or a higher epoch exists; never retry.
            Unavailable: the outcome is unknown.

        """
        ...

    async def commit(self) -> None:
        """Make everything that was appended durable before returning; calls at a time share the work.

        Raises:
            Fenced, Unavailable: what was not durable yet may be lost; this acquisition stores nothing more.

        """
        ...

    async def tail(self, count: int) -> Sequence[Record]:
        """The last `count` records, oldest first, at a cost that does not grow with the log."""
        ...

    async def pending(self) -> Sequence[Message]:
        """The messages of the inbox that are not settled, in the order in which they came; also what others put.

        Raises:
            Fenced, Unavailable.
            RecordInvalid: a message is of a newer format.

        """
        ...

    async def woken(self) -> None:
        """Wait until the inbox may have something new: the first call returns at once, and any may without a reason.

        Nothing is missed by who asks what is `pending` after each return.

        Raises:
            Fenced: the session is not held any more.

        """
        ...

    async def put_info(self, info: SessionInfo) -> None:
        """Replace the metadata atomically.

        Raises:
            Fenced, Unavailable, and RecordInvalid as `create`.

        """
        ...


class PromptDb(SessionDb, Protocol):
    """A `SessionDb` that writes records without a wait, and so needs no deadline for each.

    What is to be used has to be in the class that has `append`: whoever wraps or overrides that is not passed by.
    """

    def append_nowait(self, batch: Sequence[bytes]) -> int:
        """`SessionDb.append` of a batch that settles nothing, with the same errors."""
        ...
