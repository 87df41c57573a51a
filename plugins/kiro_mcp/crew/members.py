"""The commands about other sessions themselves: they are spawned, looked at, waited for and ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult

from kiro_mcp.crew.results import returned
from kiro_mcp.crew.shapes import counted, listed_or, member_line, member_shape, member_text
from kiro_mcp.crew.tool import Call
from kiro_mcp.server.progress import Progress

if TYPE_CHECKING:
    from kiro_mcp.crew.management import ManagementArguments

_FILTERS = {"active": "", "busy": "working"}
"""What Kiro calls otherwise."""


async def spawn(call: Call, given: ManagementArguments) -> CallToolResult:
    """`spawn_session`."""
    member = await call.crew.spawn(
        given.task,
        name=given.name,
        agent=given.agent_name,
        engine=given.engine,
        role=given.role,
        group=given.group,
        persistent=given.persistent,
        depends_on=given.depends_on,
        model=given.model,
    )
    waits = f" It {member.doing}." if member.depends_on and member.doing else ""
    text = f"{member.name} ({member.session}) has the task.{waits} Its result comes to your inbox; `wait` waits for it."
    return returned(text, session=member_shape(member))


async def listed(call: Call, given: ManagementArguments) -> CallToolResult:
    """`list_sessions`."""
    wanted: Any = _FILTERS.get(given.filter, given.filter)
    found = await call.crew.members(wanted)
    tell = member_text if given.verbose else member_line
    none = "There are no such sessions." if given.filter else 'No session is at work; the filter "all" has the others.'
    text = listed_or([tell(member) for member in found], none)
    return returned(text, sessions=[member_shape(member) for member in found])


async def status(call: Call, given: ManagementArguments) -> CallToolResult:
    """`get_session_status`."""
    member = await call.crew.status(given.target)
    return returned(member_text(member) if given.verbose else member_line(member), session=member_shape(member))


async def revive(call: Call, given: ManagementArguments) -> CallToolResult:
    """`revive_session`."""
    member = await call.crew.revive(given.target, given.task)
    return returned(f"{member.name} has another task.", session=member_shape(member))


async def wait(call: Call, given: ManagementArguments) -> CallToolResult:
    """`wait`."""
    async with Progress(call.ctx).during():
        found = await call.crew.wait(given.targets, group=given.group, any=given.any, timeout_s=given.timeout_s)
    at_work = [member.name for member in found if not member.outcome]
    text = "\n\n".join([*(member_text(member) for member in found if member.outcome), *_at_work(at_work)])
    return returned(text, sessions=[member_shape(member) for member in found], settled=not at_work)


async def cancel(call: Call, given: ManagementArguments) -> CallToolResult:
    """`cancel_session`."""
    member = await call.crew.end(given.target)
    return returned(f"{member.name} is {member.status}.", session=member_shape(member))


def _at_work(names: list[str]) -> list[str]:
    if not names:
        return []
    number = counted(len(names), "session is", "sessions are")
    return [f"{number} not done: {', '.join(names)}. Wait again, or go on; each result comes to your inbox."]
