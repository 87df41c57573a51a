"""The tools for a session that has to be named: `kiro_session_switch` and `kiro_session_end`."""

from __future__ import annotations

from pydantic import Field
from typing_extensions import TypedDict

from kiro_mcp.server.progress import Progress
from kiro_mcp.server.tool import Answer, Arguments, Call, Tool
from kiro_mcp.server.words import Id


class SessionArguments(Arguments):
    """Of tools for one session that has to be named."""

    session_id: Id = Field(min_length=1, description="The session.")


class SwitchResult(TypedDict):
    """Of `kiro_session_switch`."""

    success: bool
    active_session_id: str


class EndResult(TypedDict):
    """Of `kiro_session_end`."""

    success: bool
    session_id: str


async def _switch(call: Call, given: SessionArguments) -> Answer:
    session = await call.service.sessions.switch(call.host, given.session_id)
    result: SwitchResult = {"success": True, "active_session_id": session.id}
    return result


async def _end(call: Call, given: SessionArguments) -> Answer:
    async with Progress(call.ctx).during("The session is being ended."):
        await call.service.sessions.end(call.host, given.session_id)
    result: EndResult = {"success": True, "session_id": given.session_id}
    return result


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
