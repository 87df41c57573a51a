"""What the two sides of a conversation can be asked: the same types on both sides of the desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from kiro_core.frames import Frame

if TYPE_CHECKING:
    from kiro_core.types import PeerInfo


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
        """End a session and its process; its record stays: `{sessionId}` -> `{}`.

        Raises:
            EndingFailed: something of the process survives; the session stays, and can be closed again.

        """
        ...

    async def delete(self, frame: Frame) -> Frame:
        """End a session and remove its record: `{sessionId}` -> `{}`, also for an id that is unknown (ACP)."""
        ...

    async def authenticate(self, frame: Frame) -> Frame:
        """Log in to the agent program: `{methodId}` -> `{}` (ACP `authenticate`)."""
        ...

    async def logout(self, frame: Frame) -> Frame:
        """Log out of the agent program: `{}` -> `{}` (ACP `logout`)."""
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
