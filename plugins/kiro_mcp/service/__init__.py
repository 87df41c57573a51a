"""What hosts may do with sessions, without anything of MCP: Python in, dataclasses out, failures as `ToolFailure`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

from kiro_core.errors import unwrapped
from kiro_core.ports import Desk
from kiro_mcp.options import McpOptions
from kiro_mcp.service.access import Access
from kiro_mcp.service.choosing import Choosing
from kiro_mcp.service.client import HostsClient
from kiro_mcp.service.commands import Commands
from kiro_mcp.service.crews import Crews
from kiro_mcp.service.ending import Ending
from kiro_mcp.service.folders import folder
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.loading import Loading
from kiro_mcp.service.notices import Notices
from kiro_mcp.service.opening import Opening
from kiro_mcp.service.past import Past
from kiro_mcp.service.questions import Questions
from kiro_mcp.service.sessions import Sessions
from kiro_mcp.service.table import Table
from kiro_mcp.service.tasks import Tasks
from kiro_mcp.service.waking import Bells, Listener


@dataclass(frozen=True, slots=True)
class Service:
    """The sessions of all hosts of one server."""

    desk: Desk
    options: McpOptions
    sessions: Sessions
    tasks: Tasks
    questions: Questions
    past: Past
    commands: Commands
    crews: Crews
    notices: Notices
    bells: Bells

    def leave(self, host: Host) -> None:
        """A connection is gone: nobody answers for what only it could use."""
        self.crews.leave(host)
        for session in self.sessions.leave(host):
            self.questions.leave(session)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called with the URI of each resource that changes; what is returned ends that.

        The URIs are `kiro://sessions` and `kiro://sessions/ID`. It is called often, and may neither wait nor raise.
        """
        return self.bells.subscribe(listener)


@asynccontextmanager
async def open_service(desk: Desk, options: McpOptions) -> AsyncIterator[Service]:
    """Attach to the desk, once for all hosts.

    On leaving, sessions are left to the desk: one that ends with this program ends them, and what a served one does
    with those that no client has is for its settings to say.

    Raises on entering:
        ToolFailure: INVALID_CONFIG, the folder of the options is none.

    """
    folder(options)
    bells = Bells()
    table = Table(options, bells)
    notices = Notices()
    questions = Questions(table, bells, notices, options)
    with unwrapped():
        async with (
            desk.attach(HostsClient(desk, table, bells, questions, notices)) as agent,
            anyio.create_task_group() as tasks,
        ):
            ground = Ground(desk, agent, options, table, bells, notices, tasks)
            ending = Ending(ground)
            tasks.start_soon(ending.expire)
            yield _service(ground, questions, ending)
            tasks.cancel_scope.cancel()


def _service(ground: Ground, questions: Questions, ending: Ending) -> Service:
    access = Access(ground)
    opening = Opening(ground, ending)
    loading = Loading(ground, access, opening)
    choosing = Choosing(ground, access, opening, loading)
    sessions = Sessions(ground, access, ending, choosing, loading)
    tasks = Tasks(ground, access, choosing, questions)
    commands = Commands(ground, access, tasks)
    return Service(
        ground.desk,
        ground.options,
        sessions,
        tasks,
        questions,
        Past(ground, access),
        commands,
        Crews(ground, access, questions),
        ground.notices,
        ground.bells,
    )
