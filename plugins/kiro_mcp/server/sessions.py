"""The tools with which a host has sessions: create, list, switch, end."""

from __future__ import annotations

from pydantic import Field
from typing_extensions import TypedDict

from kiro_mcp.server.progress import Progress
from kiro_mcp.server.tool import Answer, Arguments, Call, Nothing, Tool
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.views import OpenSession


class CreateArguments(Arguments):
    """Of `kiro_session_create`."""

    agent: str = Field(default="", description="An agent configuration; see kiro_agents_list.")
    engine: str = Field(default="", description="An agent program; see kiro_engines_list.")
    working_directory: str = Field(default="", description="The folder to work in.")


class SessionShape(TypedDict):
    """One open session."""

    id: str
    session_id: str
    agent: str
    engine: str
    working_directory: str
    title: str
    state: str
    created_at: str
    last_active: str
    is_active: bool


class ListResult(TypedDict):
    """Of `kiro_session_list`."""

    sessions: list[SessionShape]
    active_session_id: str | None
    count: int


class SessionArguments(Arguments):
    """Of tools for one session that has to be named."""

    session_id: str = Field(min_length=1, description="The session.")


class SwitchResult(TypedDict):
    """Of `kiro_session_switch`."""

    success: bool
    active_session_id: str


class EndResult(TypedDict):
    """Of `kiro_session_end`."""

    success: bool
    session_id: str


def shape_of(session: OpenSession, host: Host) -> SessionShape:
    """A session as a host sees it; `session_id` is `id` again, as every other result names it."""
    return {
        "id": session.id,
        "session_id": session.id,
        "agent": session.agent,
        "engine": session.engine,
        "working_directory": session.working_directory,
        "title": session.title,
        "state": session.state,
        "created_at": session.created_at,
        "last_active": session.last_active,
        "is_active": session.id == host.active,
    }


def listing(call_host: Host, sessions: list[OpenSession]) -> ListResult:
    """The sessions that a host sees, and which of them is active."""
    shapes = [shape_of(session, call_host) for session in sessions]
    return {"sessions": shapes, "active_session_id": call_host.active or None, "count": len(shapes)}


async def _create(call: Call, given: CreateArguments) -> Answer:
    await Progress(call.ctx).say("The agent is being started.")
    session = await call.service.sessions.create(
        call.host, agent=given.agent, engine=given.engine, working_directory=given.working_directory
    )
    return shape_of(session, call.host)


async def _list(call: Call, given: Nothing) -> Answer:  # noqa: ARG001 - it takes no arguments
    return listing(call.host, list(call.service.sessions.listed(call.host)))


async def _switch(call: Call, given: SessionArguments) -> Answer:
    session = call.service.sessions.switch(call.host, given.session_id)
    result: SwitchResult = {"success": True, "active_session_id": session.id}
    return result


async def _end(call: Call, given: SessionArguments) -> Answer:
    await call.service.sessions.end(call.host, given.session_id)
    result: EndResult = {"success": True, "session_id": given.session_id}
    return result


CREATE = Tool(
    name="kiro_session_create",
    title="Begin a session",
    description="Start an agent. The first session becomes the active one.",
    takes=CreateArguments,
    gives=SessionShape,
    run=_create,
)


LIST = Tool(
    name="kiro_session_list",
    title="List sessions",
    description="The open sessions.",
    takes=Nothing,
    gives=ListResult,
    run=_list,
    reads=True,
)


SWITCH = Tool(
    name="kiro_session_switch",
    title="Switch sessions",
    description="Make another session the active one.",
    takes=SessionArguments,
    gives=SwitchResult,
    run=_switch,
    repeatable=True,
)


END = Tool(
    name="kiro_session_end",
    title="End a session",
    description="End a session and its processes; its record stays.",
    takes=SessionArguments,
    gives=EndResult,
    run=_end,
    destroys=True,
    repeatable=True,
)
