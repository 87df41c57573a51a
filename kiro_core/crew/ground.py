"""What crews need of their desk, so that they stand below it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kiro_core.crew.fitting import Known
    from kiro_core.crew.live import Live, Seat
    from kiro_core.ports import Client, SessionStore
    from kiro_core.settings import Settings
    from kiro_core.types import Contact, SessionId, SessionInfo, Told


class Ground(Protocol):
    """A desk, as its crews see it."""

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        ...

    @property
    def store(self) -> SessionStore:
        """Where runs are kept, as the sessions of their agents are."""
        ...

    @property
    def contact(self) -> Contact:
        """How whoever holds a run can be reached."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether something new may begin; False when the desk is ending."""
        ...

    def require_open(self) -> None:
        """The same.

        Raises:
            SessionClosing: the desk is ending.

        """
        ...

    def require_kept(self, info: SessionInfo) -> None:
        """Make sure that a run is not in the trash.

        Raises:
            SessionNotFound: it is.

        """
        ...

    def admit(self, client: Client) -> AbstractAsyncContextManager[Seat]:
        """Give a client its agent at this desk, whatever other desks there are."""
        ...

    def told(self, session: SessionId) -> AsyncGenerator[Told, None]:
        """What the record of a session tells; see `Desk.told`."""
        ...

    async def known(self, cwd: Path, engine: str) -> Known:
        """The names that a crew may use in a folder, where stages without an engine get `engine` (or "").

        Raises:
            UnknownName, EngineNotFound: that engine cannot be had.

        """
        ...

    def live(self, session: str) -> Live | None:
        """A session that is open here."""
        ...

    def lives(self) -> Sequence[Live]:
        """All of them."""
        ...

    def above(self, session: str) -> Sequence[SessionId]:
        """The open sessions above an open one, the nearest first; runs are left out."""
        ...

    def depth(self, session: str) -> int:
        """How many sessions are above an open one, whether they are open or not; runs are left out."""
        ...

    def seat(self, client: Client) -> Seat:
        """Give a client its agent at this desk, for as long as there is the desk."""
        ...

    def has_tools(self, session: SessionId) -> bool:
        """Whether a session that is open here was given the tools of its crew."""
        ...

    def uses_tools(self, session: SessionId) -> bool:
        """Whether the agent of a session that is open here has connected to the tools of its crew."""
        ...

    async def wake(self, session: SessionId) -> None:
        """Have whoever holds a session look into its inbox."""
        ...

    async def recorded(self, session: SessionId, value: Any) -> Any:
        """A JSON value as the middlewares let it be recorded of a session or run, and shown.

        Raises:
            KiroError: it may not be recorded, or the session cannot be looked at.

        """
        ...

    async def sweep(self) -> None:
        """End what desks that were killed have left behind."""
        ...
