"""The tool with which an agent tells the result of its task: `summary`."""

from __future__ import annotations

from mcp_types import CallToolResult
from pydantic import Field

from kiro_mcp.crew.results import returned
from kiro_mcp.crew.tool import Call, CrewTool
from kiro_mcp.server.tool import Arguments


class SummaryArguments(Arguments):
    """Of `summary`, as Kiro's own tool takes them."""

    task_description: str = Field(default="", description="What the task was.")
    context_summary: str = Field(default="", description="What whoever reads the result has to know besides.")
    task_result: str = Field(
        min_length=1, description="The result, in full: beside the context nothing else is passed on."
    )


async def _summarise(call: Call, given: SummaryArguments) -> CallToolResult:
    await call.crew.summarise(given.task_result, task=given.task_description, context=given.context_summary)
    return returned("This is on record as the result of your task. Another call replaces it.", recorded=True)


TOOL = CrewTool(
    name="summary",
    title="Tell the result",
    description="Tell the result of your task to whoever gave it to you. Call it once, when you are done.",
    takes=SummaryArguments,
    run=_summarise,
)
