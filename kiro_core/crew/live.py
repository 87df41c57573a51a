"""What a crew needs of a session that is open at its desk, so that crews stand below sessions."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from kiro_core.ports import Agent

if TYPE_CHECKING:
    from kiro_core.frames import Frame
    from kiro_core.types import Letter, SessionId, SessionInfo


class Inbox(Protocol):
    """The letters of an open session; `changed` is set, and made anew, whenever some came or were read."""

    changed: anyio.Event

    @property
    def unread(self) -> Sequence[Letter]:
        """Those that it has not read, the oldest first."""
        ...

    @property
    def hops(self) -> int:
        """How many letters led to the turn that runs; 0 where a person prompted."""
        ...

    async def read(self, limit: int = 0, *, only: Container[str] | None = None) -> Sequence[Letter]:
        """Read the oldest so many, all for 0, or those with these ids; returns when that is on record.

        Raises:
            Unavailable, Fenced: they stay unread.

        """
        ...

    async def expire(self) -> Sequence[Letter]:
        """Give up what is unread, and tell the senders."""
        ...


class Live(Protocol):
    """An open session."""

    @property
    def ended(self) -> anyio.Event:
        """Set when it is not open any more."""
        ...

    @property
    def id(self) -> SessionId:
        """Its id."""
        ...

    @property
    def info(self) -> SessionInfo:
        """Its metadata as they are now."""
        ...

    @property
    def ready(self) -> bool:
        """Whether it is open, and not about to end."""
        ...

    @property
    def turn(self) -> str:
        """The turn that runs, or empty."""
        ...

    @property
    def attended(self) -> bool:
        """Whether a person may sit at one of its clients."""
        ...

    @property
    def inbox(self) -> Inbox:
        """Its letters."""
        ...

    async def keep(self, crew: Mapping[str, Any]) -> None:
        """Write `SessionInfo.crew`, durable on return.

        Raises:
            Unavailable, Fenced: it is not written yet.

        """
        ...

    async def record(self, kind: str, data: Mapping[str, Any]) -> None:
        """Record something that happened, durable on return.

        Raises:
            Unavailable, Fenced, SessionClosing: it is not.

        """
        ...

    def stir(self) -> None:
        """Have it look whether anybody works in it."""
        ...

    def filtered(self, value: Any) -> Any:
        """A JSON value as it may be recorded and shown.

        Raises:
            MiddlewareFailed: it may not, and the session ends.

        """
        ...

    def show(self, frames: Sequence[Frame]) -> None:
        """Show notifications to its clients, and keep them nowhere."""
        ...

    async def close(self) -> None:
        """End it, whoever is at it.

        Raises:
            EndingFailed: something of its process survives.

        """
        ...


class Seat(Agent, Protocol):
    """The agent of a client that stays as long as the desk."""

    async def begin(self, frame: Frame, session: str) -> Frame:
        """`Agent.new`, under an id that was chosen beforehand."""
        ...
