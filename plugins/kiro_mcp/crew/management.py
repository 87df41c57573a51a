"""The tool with which an agent has others work, and speaks with them: `session_management`, named as Kiro's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from mcp_types import CallToolResult
from pydantic import Field

from kiro_mcp.crew import members, speaking
from kiro_mcp.crew.tool import Call, CrewTool
from kiro_mcp.server.tool import Arguments, Whole
from kiro_mcp.service.failing import ToolFailure

Command = Literal[
    "spawn_session",
    "send_message",
    "read_messages",
    "list_sessions",
    "get_session_status",
    "interrupt",
    "inject_context",
    "manage_group",
    "revive_session",
    "wait",
    "cancel_session",
]
_DESCRIPTION = """\
Have other agents work for you, each in a session of its own, and speak with them.
- spawn_session {task, agent_name?, name?, role?, group?, persistent?, depends_on?, engine?, model?}: begin one; its \
result comes to your inbox
- wait {targets? | group?, any?, timeout_s?}: wait for results; without targets for all that you spawned
- send_message {target, message, priority?}: an escalation without a target goes up to a person; {group, message}: to \
all others of a group
- read_messages {limit?}: what was written to you
- list_sessions {filter?, verbose?}: also stages of runs; filter "all" has those that have ended, to be revived
- get_session_status {target, verbose?}
- interrupt {target, message}: stop what it does, and have it do this
- inject_context {target, context}: have it know this with its next prompt
- manage_group {action, group, target?, role?, message?}
- revive_session {target, task}: another task for one that is done
- cancel_session {target}: end it, and all below it; so is a run of `subagent` by its id
A target is a name, or an id."""


class ManagementArguments(Arguments):
    """Of `session_management`; each command takes some of them."""

    command: Command = Field(description="What to do.")
    target: str = Field(default="", description="A session, by its name or id.")
    task: str = Field(default="", description="What the session is to do, with all that it has to know.")
    agent_name: str = Field(default="", description="The agent configuration of a new session.")
    engine: str = Field(default="", description="The agent program of a new session; yours.")
    model: str = Field(default="", description="The model of a new session.")
    name: str = Field(default="", description="The name of a new session; one is found without it.")
    role: str = Field(default="", description="What the session is for, in a word.")
    group: str = Field(default="", description="A group; its members may write to each other.")
    persistent: bool = Field(default=False, description="The session stays when its task is done.")
    depends_on: list[str] = Field(default=[], description="Sessions that have to be done before it begins.")
    message: str = Field(default="", description="The text for another session.")
    priority: Literal["normal", "escalation"] = Field(default="normal", description="An escalation needs a person.")
    context: str = Field(default="", description="What a session is to know; 4000 characters.")
    limit: Whole = Field(default=5, ge=1, le=100, description="Of messages; the oldest come first.")
    filter: Literal["", "active", "idle", "busy", "working", "blocked", "terminated", "all"] = Field(
        default="", description="Which sessions; without it all that have not ended."
    )
    verbose: bool = Field(default=False, description="With the results.")
    action: Literal["", "create", "add", "remove", "list", "broadcast"] = Field(
        default="", description="What to do with a group."
    )
    targets: list[str] = Field(default=[], description="The sessions to wait for.")
    any: bool = Field(default=False, description="Wait for one of them.")
    timeout_s: float = Field(
        default=50, ge=0, le=3600, allow_inf_nan=False, description="Seconds to wait; then call it again."
    )


Verb = Callable[[Call, ManagementArguments], Awaitable[CallToolResult]]
_VERBS: Mapping[Command, tuple[Verb, tuple[str, ...]]] = {
    "spawn_session": (members.spawn, ("task",)),
    "send_message": (speaking.send, ("message",)),
    "read_messages": (speaking.read, ()),
    "list_sessions": (members.listed, ()),
    "get_session_status": (members.status, ("target",)),
    "interrupt": (speaking.interrupt, ("target", "message")),
    "inject_context": (speaking.inject, ("target", "context")),
    "manage_group": (speaking.group, ("action",)),
    "revive_session": (members.revive, ("target", "task")),
    "wait": (members.wait, ()),
    "cancel_session": (members.cancel, ("target",)),
}
"""What does each command, and which arguments it cannot do without."""


async def _manage(call: Call, given: ManagementArguments) -> CallToolResult:
    verb, needed = _VERBS[given.command]
    if missing := [name for name in needed if not getattr(given, name).strip()]:
        raise ToolFailure(
            "INVALID_COMMAND",
            f"{given.command} needs {' and '.join(missing)}.",
            hint="Call it again with all that it needs.",
            details={"argument": missing[0]},
        )
    return await verb(call, given)


TOOL = CrewTool(
    name="session_management",
    title="Work with other sessions",
    description=_DESCRIPTION,
    takes=ManagementArguments,
    run=_manage,
    spawning=frozenset({"spawn_session"}),
)
