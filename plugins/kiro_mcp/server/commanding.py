"""The tool with which a host runs a command of an agent: `kiro_command`."""

from __future__ import annotations

from typing import NotRequired

from mcp_types import InputRequiredResult
from pydantic import Field
from typing_extensions import TypedDict

from kiro_mcp.server.asking import resumed
from kiro_mcp.server.progress import Progress
from kiro_mcp.server.tool import Answer, Arguments, Call, Tool
from kiro_mcp.server.waiting import Waited, turn_of_the_call
from kiro_mcp.server.words import SESSION, Id, NoticeShape, QuestionShape, notices_of, question_of
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.views import Outcome


class CommandArguments(Arguments):
    """Of `kiro_command`."""

    command: str = Field(description="A command that the agent offers, such as /help.")
    session_id: Id = SESSION


class CommandResult(TypedDict):
    """Of `kiro_command`."""

    success: bool
    output: str
    error: str
    exit_code: int
    session_id: str
    task_id: NotRequired[str]
    question: NotRequired[QuestionShape]
    notices: NotRequired[list[NoticeShape]]


async def _command(call: Call, given: CommandArguments) -> Answer:
    task, progress = resumed(call), Progress(call.ctx)
    if not task:
        async with progress.during():
            begun = await call.service.commands.start(call.host, given.command, given.session_id)
        if isinstance(begun, Outcome):
            return _with_notices(call, _outcome(begun))
        task = begun.id
    waited = await turn_of_the_call(call, task, progress)
    if isinstance(waited, InputRequiredResult):
        return waited
    return _with_notices(call, _result_of(call, given, waited))


def _result_of(call: Call, given: CommandArguments, waited: Waited) -> CommandResult:
    view = waited.view
    if not view.is_done and waited.question is None:
        wait_s = call.service.options.chat_wait_s
        raise ToolFailure(
            "COMMAND_TIMEOUT",
            f"The command has not ended within {wait_s:g} s; it goes on.",
            hint="Ask kiro_task_status with the task_id. Or end it with kiro_task_cancel.",
            details={"task_id": view.id, "timeout": wait_s, "command": given.command},
        )
    cancelled = view.status == "cancelled"
    result: CommandResult = {
        "success": view.is_done and not cancelled,
        "output": waited.text,
        "error": "It was cancelled." if cancelled else "",
        "exit_code": 1 if cancelled else 0,
        "session_id": view.session_id,
        "task_id": view.id,
    }
    if waited.question is not None:
        result["question"] = question_of(waited.question)
    return result


def _with_notices(call: Call, result: CommandResult) -> CommandResult:
    if notices := notices_of(call.service, result["session_id"]):
        result["notices"] = notices
    return result


def _outcome(outcome: Outcome) -> CommandResult:
    return {
        "success": outcome.success,
        "output": outcome.output,
        "error": outcome.error,
        "exit_code": outcome.exit_code,
        "session_id": outcome.session_id,
    }


COMMAND = Tool(
    name="kiro_command",
    title="Run a command",
    description="Run a slash command of the agent.",
    takes=CommandArguments,
    gives=CommandResult,
    run=_command,
    destroys=True,
    open_world=True,
)
