"""The sessions that are open here, for all hosts."""

from __future__ import annotations

from collections.abc import Sequence

from kiro_core.messages import about
from kiro_core.types import SessionId
from kiro_mcp.service.access import Access
from kiro_mcp.service.choosing import Choosing
from kiro_mcp.service.ending import Ending
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.loading import Loading
from kiro_mcp.service.saving import write_archive
from kiro_mcp.service.views import OpenSession, Saved


class Sessions:
    """What hosts do with sessions; what a host does not see is SESSION_NOT_FOUND for it.

    Besides what is named, each may raise what `failure_of` makes of a failure of the desk.
    """

    def __init__(self, ground: Ground, access: Access, ending: Ending, choosing: Choosing, loading: Loading) -> None:
        """Open, find and end sessions of the table."""
        self._desk = ground.desk
        self._table = ground.table
        self._access = access
        self._ending = ending
        self._choosing = choosing
        self._loading = loading

    async def create(
        self, host: Host, *, agent: str = "", engine: str = "", working_directory: str = ""
    ) -> OpenSession:
        """Begin a session; it becomes active where the host's active one is none, or is not open any more.

        Raises:
            ToolFailure: INVALID_CONFIG, AGENT_NOT_FOUND, KIRO_CLI_NOT_FOUND, SESSION_LIMIT_REACHED.

        """
        return (await self._choosing.new(host, agent, engine, working_directory)).view()

    def listed(self, host: Host) -> Sequence[OpenSession]:
        """The sessions that the host sees, oldest first."""
        return [live.view() for live in self._table.seen_by(host)]

    def find(self, host: Host, session_id: str = "") -> OpenSession:
        """An open session that the host sees; "" is its active one.

        Raises:
            ToolFailure: SESSION_NOT_FOUND; SESSION_INACTIVE, the active one is not open any more.

        """
        return self._table.find(host, session_id).view()

    async def switch(self, host: Host, session_id: str) -> OpenSession:
        """Make a session the active one.

        Raises:
            ToolFailure: SESSION_NOT_FOUND, also for every id without a connection; SESSION_INACTIVE, it is not open.

        """
        if not host.connected:
            raise ToolFailure(
                "SESSION_NOT_FOUND",
                "Without a connection no session can be active.",
                hint="Name the session as session_id in each call.",
                details={"session_id": session_id},
            )
        live = await self._access.usable(host, session_id)
        live.stir()
        host.active = live.id
        return live.view()

    async def end(self, host: Host, session_id: str) -> None:
        """End a session and its processes; it goes on to its end also when the caller is cancelled.

        If it was active, the oldest remaining one of the host is, or none. A session in which others work too, at
        an editor perhaps, goes on for them.

        Raises:
            ToolFailure: SESSION_NOT_FOUND, it is not open, also when it is stored; EXECUTION_ERROR with the cause
                ENDING_FAILED, its process survives.

        """
        live = self._table.lives.get(session_id)
        if live is None or not self._table.sees(host, session_id):
            raise _not_to_end(await self._access.readable(host, session_id))
        live.ended_by.append(host)
        await self._ending.end(live)

    async def clear(self, host: Host, session_id: str = "") -> OpenSession:
        """Give a session's agent a new context; what was said stays on record.

        Raises:
            ToolFailure: SESSION_NOT_FOUND, SESSION_INACTIVE, KIRO_CLI_NOT_FOUND; SESSION_BUSY, a turn runs or waits.

        """
        live = await self._access.usable(host, session_id)
        if live.is_busy or self._ending.works(live):
            raise ToolFailure(
                "SESSION_BUSY",
                f"A turn of the session {live.id} runs or waits.",
                hint="Wait for it with kiro_task_status. Or end it with kiro_task_cancel.",
                details={"session_id": live.id},
            )
        await self._access.call(live, about("_kiro_core/session/clear", live.id), "The context could not be cleared")
        return live.view()

    async def save(self, host: Host, path: str, session_id: str = "") -> Saved:
        """Write a session into an archive inside of its folders; `path` may be relative to its working directory.

        Raises:
            ToolFailure: INVALID_COMMAND, there is no path; INVALID_CONFIG, it cannot be used; EXECUTION_ERROR.

        """
        if not path.strip():
            raise ToolFailure("INVALID_COMMAND", "The path is blank.", hint="Name a file to write.")
        live = await self._access.usable(host, session_id)
        with self._access.using(live):
            info = await self._desk.info(SessionId(live.id))
            chunks = self._desk.export_session(info.id)
            where, size = await write_archive(path, (info.cwd, *info.roots), chunks)
        return Saved(live.id, where, size)

    async def load(
        self, host: Host, *, session_id: str = "", path: str = "", working_directory: str = ""
    ) -> OpenSession:
        """Open a stored session, or one out of an archive: exactly one of `session_id` and `path`; it becomes active.

        `path` may be relative to the working directory of this server: what is to be loaded has no folder yet.
        `working_directory` is another folder than the recorded one, for a session whose own is not there.

        Raises:
            ToolFailure: INVALID_COMMAND, none or both; SESSION_NOT_FOUND; SESSION_ALREADY_EXISTS, the session of the
                archive is there; SESSION_BUSY, somebody else has it; SESSION_INACTIVE, it could not be ended;
                INVALID_CONFIG; EXECUTION_ERROR.

        """
        live = await self._loading.load(host, session_id.strip(), path.strip(), working_directory)
        if host.connected:
            host.active = live.id
        return live.view()

    def leave(self, host: Host) -> Sequence[str]:
        """A host is gone: what nobody else can use ends when its turns have ended; the ids of these sessions."""
        left = self._table.leave(host)
        for live in left:
            self._ending.leave(live)
        return [live.id for live in left]


def _not_to_end(session_id: str) -> ToolFailure:
    sentence = f"The session {session_id} is not open here, and there is nothing to end; its record is there."
    hint = "kiro_session_load opens it again."
    return ToolFailure("SESSION_NOT_FOUND", sentence, hint=hint, details={"session_id": session_id})
