"""The commands with which sessions speak to each other, and form groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp_types import CallToolResult

from kiro_mcp.crew.results import returned
from kiro_mcp.crew.shapes import counted, letter_shape, letter_text, listed_or, member_shape
from kiro_mcp.crew.tool import Call
from kiro_mcp.service.failing import ToolFailure

if TYPE_CHECKING:
    from kiro_mcp.crew.management import ManagementArguments


async def send(call: Call, given: ManagementArguments) -> CallToolResult:
    """`send_message`."""
    if given.group and not given.target:
        return await _broadcast(call, given)
    if not given.target and given.priority == "normal":
        raise ToolFailure("INVALID_COMMAND", "send_message needs target.", details={"argument": "target"})
    letter = await call.crew.send(given.target, given.message, priority=given.priority)
    return returned("The message is in the inbox.", message=letter.id)


async def read(call: Call, given: ManagementArguments) -> CallToolResult:
    """`read_messages`."""
    letters = await call.crew.read(given.limit)
    text = "\n\n".join(map(letter_text, letters)) or "There are no new messages."
    return returned(text, messages=[letter_shape(letter) for letter in letters])


async def interrupt(call: Call, given: ManagementArguments) -> CallToolResult:
    """`interrupt`."""
    member = await call.crew.interrupt(given.target, given.message)
    return returned(f"{member.name} goes on with this.", session=member_shape(member))


async def inject(call: Call, given: ManagementArguments) -> CallToolResult:
    """`inject_context`."""
    letter = await call.crew.inject(given.target, given.context)
    return returned("It stands in front of its next prompt.", message=letter.id)


async def group(call: Call, given: ManagementArguments) -> CallToolResult:
    """`manage_group`."""
    if given.action == "broadcast":
        return await _broadcast(call, given)
    action: Any = given.action
    groups = await call.crew.group(action, given.group, given.target, given.role)
    lines = [f"{name}: {', '.join(member.name for member in members) or 'nobody'}" for name, members in groups]
    structure = {name: [member_shape(member) for member in members] for name, members in groups}
    return returned(listed_or(lines, "There are no groups."), groups=structure)


async def _broadcast(call: Call, given: ManagementArguments) -> CallToolResult:
    if not given.message.strip():
        raise ToolFailure("INVALID_COMMAND", "broadcast needs message.", details={"argument": "message"})
    letters = await call.crew.broadcast(given.group, given.message)
    text = f"The message is in {counted(len(letters), 'inbox', 'inboxes')}."
    return returned(text, messages=[letter.id for letter in letters])
