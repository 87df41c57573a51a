"""What runs need of their desk, so that they stand below it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from kiro_core.crew.fitting import Known
from kiro_core.ports import Agent, Client, SessionStore
from kiro_core.settings import Settings
from kiro_core.types import Contact, SessionId, SessionInfo, Told


class Ground(Protocol):
    """A desk, as its runs see it."""

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

    def admit(self, client: Client) -> AbstractAsyncContextManager[Agent]:
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

    async def sweep(self) -> None:
        """End what desks that were killed have left behind."""
        ...
