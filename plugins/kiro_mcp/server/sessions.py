"""The tools with which a host has sessions: `kiro_session_create` and `kiro_session_list`."""

from __future__ import annotations

from typing import NotRequired, cast

from pydantic import Field
from typing_extensions import TypedDict

from kiro_mcp.server.progress import Progress
from kiro_mcp.server.tool import Answer, Arguments, Call, Nothing, Tool
from kiro_mcp.server.words import NoticeShape, notices_of
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


class OpenedShape(SessionShape):
    """Of `kiro_session_create` and `kiro_session_load`."""

    notices: NotRequired[list[NoticeShape]]


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
    """The sessions that a host sees, and which of them is active; one that has ended by itself is not any more."""
    shapes = [shape_of(session, call_host) for session in sessions]
    active = next((session.id for session in sessions if session.id == call_host.active), None)
    return {"sessions": shapes, "active_session_id": active, "count": len(shapes)}


def opened_shape(call: Call, session: OpenSession) -> OpenedShape:
    """A session that was opened just now, with what it has told meanwhile."""
    shape = cast("OpenedShape", shape_of(session, call.host))
    if notices := notices_of(call.service, session.id):
        shape["notices"] = notices
    return shape


async def _create(call: Call, given: CreateArguments) -> Answer:
    async with Progress(call.ctx).during("The agent is being started."):
        session = await call.service.sessions.create(
            call.host, agent=given.agent, engine=given.engine, working_directory=given.working_directory
        )
    return opened_shape(call, session)


async def _list(call: Call, given: Nothing) -> Answer:  # noqa: ARG001 - it takes no arguments
    return listing(call.host, list(call.service.sessions.listed(call.host)))


CREATE = Tool(
    name="kiro_session_create",
    title="Begin a session",
    description="Start an agent. The first session becomes the active one.",
    takes=CreateArguments,
    gives=OpenedShape,
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
