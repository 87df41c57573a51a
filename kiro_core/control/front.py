"""What a desk must be able to do so that other processes of its user can reach it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from kiro_core.ports import Agent, ByteStream, Client
from kiro_core.types import Record, SessionId, SessionInfo


class Front(Protocol):
    """A desk as its own socket sees it."""

    def hello(self) -> Mapping[str, Any]:
        """`{version, pid, face, served, state, since, settings}`.

        `state` is "starting", "ready" or "draining"; `settings` has a short digest for each key that is not at
        its default.
        """
        ...

    def status(self) -> Mapping[str, Any]:
        """The same with `sessions`: `[{sessionId, agent, engine, clients, turn, waiting, asleep}]`."""
        ...

    def admit(self, client: Client) -> AbstractAsyncContextManager[Agent]:
        """Give a client from another process its agent, for the sessions of this very desk."""
        ...

    def enter(self, token: str, stream: ByteStream) -> bool:
        """Have the agent of the session with that token reach the tools of its crew over a connection.

        That is the session's from then on, and is closed when it ends. False, and nothing else has happened: no session
        has such a token, or it has as many connections as it may.
        """
        ...

    def takes(self, session: SessionId) -> bool:
        """Whether another process may open that session here: it is live here, or this desk is served."""
        ...

    async def let_go(self, session: SessionId, *, force: bool = False) -> None:
        """End one session, so that another process can have it.

        Raises:
            SessionNotFound: it is not live here.
            SessionBusy: a turn runs or a client is attached, and nobody insists.

        """
        ...

    def follow(self, session: SessionId, after: int = 0) -> AsyncGenerator[Sequence[Record], None]:
        """The records behind a number, in batches, until the session has ended."""
        ...

    def wake(self, session: SessionId) -> None:
        """Look into the inbox of a session that is live here; another process has put something into it."""
        ...

    async def relabel(
        self,
        session: SessionId,
        *,
        title: str | None = None,
        name: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> SessionInfo:
        """See `Desk.relabel`."""
        ...

    async def delete(self, session: SessionId) -> None:
        """See `Desk.delete`."""
        ...


class ControlVerbs(Protocol):
    """What can be asked of a desk that is served; each answers with any JSON object."""

    async def stop(self) -> Mapping[str, Any]:
        """Begin to end: answer at once, and drain then."""
        ...

    async def reload(self) -> Mapping[str, Any]:
        """Read the settings again."""
        ...
