"""The tools that show the prompts of agent configurations: `kiro_prompts_list` and `kiro_prompts_get`."""

from __future__ import annotations

from pydantic import Field
from typing_extensions import TypedDict

from kiro_mcp.server.configured import prompt_called, prompts_in
from kiro_mcp.server.finding import FolderArguments
from kiro_mcp.server.tool import Answer, Arguments, Call, Tool


class PromptShape(TypedDict):
    """One prompt; nothing is ever put in front of a message by itself."""

    name: str
    description: str
    trigger: str
    always_apply: bool


class PromptsResult(TypedDict):
    """Of `kiro_prompts_list`."""

    prompts: list[PromptShape]
    count: int


class PromptArguments(Arguments):
    """Of `kiro_prompts_get`."""

    name: str = Field(min_length=1, description="The prompt.")
    working_directory: str = Field(default="", description="The folder that it is for.")


class PromptResult(PromptShape):
    """Of `kiro_prompts_get`."""

    content: str


async def _prompts(call: Call, given: FolderArguments) -> Answer:
    prompts = [
        _shape(agent.name, agent.description) for agent in await prompts_in(call.service, given.working_directory)
    ]
    result: PromptsResult = {"prompts": prompts, "count": len(prompts)}
    return result


async def _prompt(call: Call, given: PromptArguments) -> Answer:
    agent = await prompt_called(call.service, given.name, given.working_directory)
    result: PromptResult = {**_shape(agent.name, agent.description), "content": agent.prompt}
    return result


def _shape(name: str, description: str) -> PromptShape:
    return {"name": name, "description": description, "trigger": f"/agent {name}", "always_apply": False}


PROMPTS = Tool(
    name="kiro_prompts_list",
    title="List prompts",
    description="The prompts of the agent configurations.",
    takes=FolderArguments,
    gives=PromptsResult,
    run=_prompts,
    reads=True,
)


PROMPT = Tool(
    name="kiro_prompts_get",
    title="Show a prompt",
    description="One prompt with its text.",
    takes=PromptArguments,
    gives=PromptResult,
    run=_prompt,
    reads=True,
)
