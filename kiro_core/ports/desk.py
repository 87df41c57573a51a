"""What a face sees: the desk, as one connection and as a whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from kiro_core.ports.talking import Agent, Client
from kiro_core.types import AgentSummary, Engine, Page, Problem, Record, SessionId, SessionInfo, SessionQuery


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
