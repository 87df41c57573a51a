"""What a face can have crews do, at any desk."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from kiro_core.ports.members import Members
from kiro_core.ports.talking import Client

if TYPE_CHECKING:
    from kiro_core.types import RunView, SessionId, SessionInfo, Usage


class Crews(Members, Protocol):
    """The verbs of members, and those of runs: each a session of kind "run", which the desk that drives it holds."""

    async def run(  # noqa: PLR0913 - what a run is asked for, all by name
        self,
        crew: Mapping[str, Any],
        *,
        task: str = "",
        cwd: Path,
        roots: Sequence[str] = (),
        engine: str = "",
        parent: str = "",
        client: Client | None = None,
        hops: int = 0,
    ) -> SessionId:
        """Run a crew (the fields of a crew file, as JSON values); returns when that is on record.

        A `task` counts instead of the crew's own; `engine` is for stages that name none. `parent` is the session that
        asked for it: what binds that session binds all children, and its clients are asked their questions. Else
        `client` is asked, under the id of the child; without one the answer is no. So many letters led to it (`hops`),
        and one more is its report.

        Raises:
            CrewInvalid: what is written cannot run; nothing has been started or stored.
            UnknownName, EngineNotFound: `engine` cannot be had.
            SessionNotFound: there is no such parent.
            SessionClosing: the desk is ending.
            Unavailable: it could not be put on record.

        """
        ...

    def follow(self, run: SessionId, by: str = "") -> AsyncGenerator[RunView, None]:
        """How a run stands, and again whenever that has changed, until nobody drives it any more.

        Where a session waits for that (`by`), it takes no place among those at work meanwhile.
        Who reads slowly gets the newest. Of a run that this desk does not drive it is what is on record, once.

        Raises when it is iterated:
            SessionNotFound, RecordInvalid, Unavailable: there is no such run, or it cannot be read.
            Unavailable, Fenced: at the end, why the run could not go on; it can be resumed.

        """
        ...

    async def report(self, run: SessionId) -> Mapping[str, Any]:
        """The report of a run as far as it is on record, as JSON values; see `kiro_core.crew.reporting`.

        Raises:
            SessionNotFound, RecordInvalid, Unavailable: there is no such run, or it cannot be read.

        """
        ...

    async def cancel(self, run: SessionId) -> None:
        """Have a run end: it starts nothing more, and cancels what runs; followers see when that is done.

        Raises:
            SessionNotFound, RecordInvalid, Unavailable: there is no such run, or it cannot be read.
            CrewInvalid: it has ended.
            Held: another process drives it.

        """
        ...

    async def resume(
        self, run: SessionId, *, rerun: Sequence[str] = (), skip: Sequence[str] = (), client: Client | None = None
    ) -> None:
        """Go on with a run whose desk has ended; returns when that is on record.

        What was at work then and has not ended on its own record is unknown: it runs again if it is among `rerun`,
        is left out if it is among `skip`, and else the setting `crew.unknown_stages` decides.

        Raises:
            CrewInvalid: the run has ended, came out of an archive, a stage does not wait for a choice or is
                among both.
            Held: somebody drives it.
            SessionNotFound, RecordInvalid, Unavailable: there is no such run, or it cannot be read.
            SessionClosing: the desk is ending.

        """
        ...

    async def deliver(self, run: SessionId) -> None:
        """Have the report of a run become a letter of kind "result" to the session that asked for it (`parent`).

        It is put into that one's inbox when the run ends, once, also when another desk goes on with it; at once
        where it has ended. Returns when that is on record.

        Raises:
            SessionNotFound, RecordInvalid, Unavailable: there is no such run, or it cannot be read.
            Held: another process drives it.
            InboxFull: the run has ended, and the inbox takes no more.

        """
        ...

    async def usage(self, session: SessionId) -> Usage:
        """What a session or a run used with all sessions below it, as far as their agents told it.

        Raises:
            SessionNotFound, RecordInvalid, Unavailable: there is no such session, or it cannot be read.

        """
        ...

    async def runs(self, cwd: str = "", limit: int = 50) -> Sequence[SessionInfo]:
        """The newest runs on record, of a folder or of all.

        Raises:
            Unavailable: the store cannot be listed.

        """
        ...
