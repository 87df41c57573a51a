"""What a face sees: the desk, as one connection and as a whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Container, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kiro_core.ports.talking import Agent, Client

if TYPE_CHECKING:
    from kiro_core.ports.crews import Crews
    from kiro_core.types import (
        AgentConfig,
        AgentSummary,
        Engine,
        Page,
        PeerInfo,
        Problem,
        Pruned,
        PruneRule,
        Record,
        Report,
        SessionId,
        SessionInfo,
        SessionQuery,
        Told,
    )


class Attachable(Protocol):
    """The desk as one connection sees it."""

    def attach(self, client: Client) -> AbstractAsyncContextManager[Agent]:
        """Give a connection its agent; leaving the block detaches, sessions live on."""
        ...

    def logins(self, client: PeerInfo) -> Sequence[Mapping[str, Any]]:
        """The ways in which that client can log in to the engine that it would get (ACP `authMethods`).

        It answers at once and never fails: a client is told before settings and plugins are loaded.
        """
        ...

    def not_ready(self) -> str:
        """Why no session can be had here now, in a sentence; `""` when one can. It answers at once."""
        ...


class Desk(Attachable, Protocol):
    """All that a face sees."""

    @property
    def crew(self) -> Crews:
        """The runs of crews; this desk drives those that are begun or resumed here."""
        ...

    def status(self) -> Mapping[str, Any]:
        """What an operator asks: `{state, agents, sessions, version, pid, face, served, since, settings}`.

        `state` is "starting", "ready" or "draining", `agents` the number of agent programs, `settings` has a
        digest of each that is not at its default. Of each live session it is `{sessionId, agent, engine,
        clients, turn, waiting, asleep, endingFailed}`: how many `clients` it has, whether a `turn` runs, how many
        prompts wait behind it; one that is `asleep` has no agent program now, and of one whose `endingFailed` something
        survived being killed. A desk that is served has more.
        """
        ...

    async def sessions(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> Page[SessionInfo]:
        """List recorded sessions, newest first; the ids of those that cannot be read are in `Page.damaged`.

        Raises:
            ValueError: the cursor is not one of ours.

        """
        ...

    async def info(self, session: SessionId) -> SessionInfo:
        """One session's metadata; it may be in the trash (`SessionInfo.trashed`), and cannot be opened then.

        Raises:
            SessionNotFound: no session has the id.

        """
        ...

    async def holder(self, session: SessionId) -> Mapping[str, Any]:
        """Who holds a session at this moment, empty for nobody; see `SessionStore.holder`.

        Raises:
            SessionNotFound, Unavailable.

        """
        ...

    async def freed(self, session: SessionId) -> None:
        """Wait until no desk holds a session; see `SessionStore.freed`.

        Raises:
            SessionNotFound, Unavailable.

        """
        ...

    def read(self, session: SessionId, after: int = 0) -> AsyncIterator[Record]:
        """Read a session's records behind a sequence number, without holding the session."""
        ...

    def watch(self, session: SessionId, after: int = 0) -> AsyncGenerator[Record, None]:
        """The same, and then what comes: it ends when the session does, at once for one that nobody holds.

        It follows a session wherever it is live: here, or in another desk of this user.

        Raises when it is iterated:
            SessionNotFound, RecordInvalid, Unavailable: as the store says.
            Disconnected: whoever holds the session cannot be asked for more.

        """
        ...

    def told(self, session: SessionId, after: int = 0, *, follow: bool = False) -> AsyncGenerator[Told, None]:
        """What the records behind a number tell, in order; one may tell two things, under the same number.

        With `follow` it goes on as `watch` does, until the session ends.

        Raises when it is iterated:
            SessionNotFound, RecordInvalid, Unavailable, Disconnected: as `read` and `watch` do.

        """
        ...

    async def delete(self, session: SessionId) -> None:
        """End a session if it is live in this desk, and remove its record for good.

        Raises:
            SessionNotFound: no session has the id; whoever wants it gone may take it for success.
            Held: another process holds it.
            Unavailable: the store cannot write.

        """
        ...

    async def prune(
        self, rule: PruneRule, *, dry_run: bool = False, only: Container[SessionId] | None = None
    ) -> Sequence[Pruned]:
        """Put the sessions that a rule names into the trash, and delete for good what has been there long enough.

        The latter is so many days as the setting `retention.trash_days` says, whatever the rule. What
        somebody has open, what was used since it was looked at, and what cannot be read stays, and is told.
        `dry_run` changes nothing; who else has a session open is not known then. `only` narrows it to
        sessions that somebody has agreed to.

        Raises:
            Unavailable: the store cannot be listed.

        """
        ...

    async def restore(self, session: SessionId) -> SessionInfo:
        """Get a session back from the trash, and return its metadata; one that is not there stays as it is.

        It counts as used now, and comes without its name where another session of its folder has that meanwhile.

        Raises:
            SessionNotFound: no session has the id.
            Held, RecordInvalid, Unavailable: as the store says.

        """
        ...

    async def verify(self, session: SessionId, *, repair: bool = False) -> Report:
        """Check all that is stored of a session, and mend it if asked to; see `SessionStore.verify`.

        Raises:
            SessionNotFound, RecordInvalid, Held, Unavailable: as the store says.

        """
        ...

    async def take_over(self, session: SessionId, *, force: bool = False) -> Mapping[str, Any]:
        """Make sure that nobody holds a session, and return who did, empty when nobody had to go.

        The owner's desk is asked first: it lets go of a session in which no turn runs and which no client
        has open, with `force` of that one session in any case; then the answer has `"let_go": true`. With
        `force` an owner that does not answer is ended, with all its sessions (`SessionStore.evict`). A record
        of kind `taken_over`, `{"owner": {...}}`, says what was done by force.

        Raises:
            Held: somebody holds it, and without `force`, or for the reason that the sentence gives, stays.
            SessionNotFound, RecordInvalid, Unavailable: as the store says.

        """
        ...

    async def relabel(
        self,
        session: SessionId,
        *,
        title: str | None = None,
        name: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> SessionInfo:
        """Give a session another title, name or set of tags, and return its metadata; None changes nothing.

        A title that is given so is `titled` and stays, until an empty one takes it back. An empty name
        takes the name away. When it was last used (`updated`) is not changed by what it is called.

        Raises:
            LabelInvalid: a text is too long, has control characters, or is no tag.
            NameTaken: another session of the same folder has the name.
            SessionBusy: it is being opened.
            SessionNotFound, Held, RecordInvalid, Unavailable: as the store says.

        """
        ...

    def export_session(self, session: SessionId) -> AsyncGenerator[bytes, None]:
        """A session as one archive (see docs/sessions.md), piece by piece, held or not.

        It holds the records that are there when it begins, and never more than a part of them in memory.

        Raises on iterating:
            SessionNotFound, RecordInvalid, Unavailable: what was yielded so far is no archive.

        """
        ...

    async def import_session(self, chunks: AsyncIterator[bytes], *, new_id: bool = False) -> SessionInfo:
        """Verify an archive and store its session, as a whole or not at all; returns its metadata.

        `chunks` are the archive's bytes in pieces of any size, closed when they have been read.
        Order and bodies of the records are those of the archive; the store numbers them anew. With
        `new_id` it becomes a copy under another id, without name and without the agent's own session.

        Raises:
            ArchiveInvalid: it does not verify.
            Held: a session of that id exists.
            NameTaken: another session of its folder has its name.
            Unavailable: the store, or the folder for temporary files, cannot write.

        """
        ...

    async def agents(self, cwd: Path) -> tuple[Sequence[AgentSummary], Sequence[Problem]]:
        """The agent configurations for a folder, and what could not be read."""
        ...

    async def agent(self, name: str, cwd: Path) -> AgentConfig:
        """One of them as a session in that folder would get it, with its prompt and resources read.

        Raises:
            AgentNotFound, AgentUntrusted: nobody knows it, or agreed to it.

        """
        ...

    def configuration(self) -> Mapping[str, Any]:
        """The effective settings: `{values, origins}`, where `origins` tells who set what is not at its default.

        Of environment variables and of a backend's options there are the names alone, of commands the
        program, and of addresses neither user nor query: whatever else they hold may be secret.
        """
        ...

    def engines(self) -> Sequence[Engine]:
        """The agent programs that this desk knows, installed or not."""
        ...
