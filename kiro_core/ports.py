"""The verbs: what each kind of plugin, and each side of the desk, can be asked.

Protocols only: nothing to inherit. Messages are ACP version 1 in shape whatever the wire speaks
(a wire or face translates); each verb takes the request's `Frame`, so that nothing is re-encoded
and no unknown field is lost, and answers with a response `Frame` whose JSON-RPC id the caller
replaces by its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

import anyio
from anyio.abc import TaskStatus

from kiro_core.frames import Frame
from kiro_core.types import (
    AgentConfig,
    AgentSummary,
    Command,
    Engine,
    Exit,
    Page,
    PeerInfo,
    Problem,
    Record,
    SessionId,
    SessionInfo,
    SessionQuery,
)


class Turn(Protocol):
    """A prompt that was accepted."""

    async def settled(self) -> Frame:
        """Wait for its outcome: the response to the prompt, which may be an error.

        Cancelling the wait leaves the turn alone: a turn outlives who asked for it.
        """
        ...

    async def cancel(self) -> None:
        """Cancel this turn and no other; it settles later."""
        ...


class Agent(Protocol):
    """What a client may ask: the same type on both sides of the desk."""

    @property
    def info(self) -> PeerInfo:
        """What the agent said of itself; its abilities are verbs such as "load" and "resume"."""
        ...

    async def new(self, frame: Frame) -> Frame:
        """Begin a session: `{cwd, mcpServers}` -> `{sessionId, ...}` (ACP `session/new`)."""
        ...

    async def open(self, frame: Frame, *, replay: bool) -> Frame:
        """Continue a session, with its conversation replayed before the answer or without.

        ACP `session/load` and `session/resume`: `{sessionId, cwd, mcpServers}` -> `{...}`.
        """
        ...

    async def prompt(self, frame: Frame) -> Turn:
        """Accept a prompt: `{sessionId, prompt: [block]}`; the turn settles later.

        Whatever decides its place in the queue happens before the first wait, so that a cancel
        that arrives behind it finds it.
        """
        ...

    async def cancel(self, frame: Frame) -> None:
        """Cancel what runs and what waits in a session: `{sessionId}` (ACP `session/cancel`)."""
        ...

    async def close(self, frame: Frame) -> Frame:
        """End a session and its process; its record stays: `{sessionId}` -> `{}`."""
        ...

    async def list(self, frame: Frame) -> Frame:
        """List sessions: `{cwd?, cursor?}` -> `{sessions: [...], nextCursor?}`."""
        ...

    async def call(self, frame: Frame) -> Frame:
        """Any other request; what is unknown is answered with a method-not-found error."""
        ...

    async def notify(self, frame: Frame) -> None:
        """Any other notification; what is unknown is dropped."""
        ...


class Client(Protocol):
    """What an agent may ask back."""

    @property
    def info(self) -> PeerInfo:
        """What the client said of itself; its abilities are services such as "notices"."""
        ...

    async def notify(self, frames: Sequence[Frame]) -> None:
        """Take a batch of notifications, in order; returning late slows the sender."""
        ...

    async def request(self, frame: Frame) -> Frame:
        """Answer a request of the agent, such as `session/request_permission`."""
        ...


class Attachable(Protocol):
    """The desk as one connection sees it."""

    def attach(self, client: Client) -> AbstractAsyncContextManager[Agent]:
        """Give a connection its agent; leaving the block detaches, sessions live on."""
        ...


class Desk(Attachable, Protocol):
    """All that a face sees."""

    async def sessions(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> Page[SessionInfo]:
        """List recorded sessions, newest first.

        Raises:
            ValueError: the cursor is not one of ours.

        """
        ...

    async def info(self, session: SessionId) -> SessionInfo:
        """One session's metadata.

        Raises:
            SessionNotFound: no session has the id.

        """
        ...

    def read(self, session: SessionId, after: int = 0) -> AsyncIterator[Record]:
        """Read a session's records behind a sequence number, without holding the session."""
        ...

    async def agents(self, cwd: Path) -> tuple[Sequence[AgentSummary], Sequence[Problem]]:
        """The agent configurations for a folder, and what could not be read."""
        ...

    def engines(self) -> Sequence[Engine]:
        """The agent programs that this desk knows, installed or not."""
        ...


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
            Held: another owner lives.
            RecordInvalid: its metadata is damaged or of a newer format.

        """
        ...

    async def get(self, session: SessionId) -> SessionInfo:
        """Its metadata, held or not.

        Raises:
            SessionNotFound, RecordInvalid.

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
            SessionNotFound: when the iteration begins.

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


class Process(Protocol):
    """A running agent program: a byte stream with an identity."""

    @property
    def identity(self) -> str:
        """For people and receipts, such as `pid 4711`; not necessarily a pid."""
        ...

    @property
    def exit(self) -> Exit | None:
        """How it ended, or None while it runs."""
        ...

    async def wait(self) -> Exit:
        """Wait for its end."""
        ...

    def stderr_tail(self) -> str:
        """The last lines that it wrote to stderr, bounded."""
        ...

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Read from its stdout.

        Raises:
            anyio.EndOfStream: it closed its stdout.

        """
        ...

    async def send(self, item: bytes) -> None:
        """Write to its stdin, whole even when cancelled midway and followed by another send.

        Raises:
            anyio.BrokenResourceError: it closed its stdin.

        """
        ...


class Launcher(Protocol):
    """How an agent program is started."""

    def launch(self, command: Command) -> AbstractAsyncContextManager[Process]:
        """Start it; leaving the block ends everything that it started, shielded and bounded.

        Raises on entering:
            LaunchFailed: the program is missing or cannot be executed.

        """
        ...


class Wire(Protocol):
    """Their agent, here: the protocol spoken with a process."""

    def connect(self, process: Process, client: Client, timeout_s: float) -> AbstractAsyncContextManager[Agent]:
        """Introduce ourselves and yield the agent; leaving the block hangs up.

        When the agent hangs up, the block is cancelled and left: its lifetime is the wire's.

        Raises on entering:
            Disconnected: the process hung up before it answered.
            AgentTimeout: it did not answer within `timeout_s` seconds.
            RpcError: it answered with an error or with another protocol.

        """
        ...


class Face(Protocol):
    """Our desk, there: the protocol spoken with clients."""

    async def serve(self, desk: Attachable, *, task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve until the transport ends."""
        ...
