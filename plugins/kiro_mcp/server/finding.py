"""The tools that tell what there is: agents, engines, and no pool."""

from __future__ import annotations

import shutil
from pathlib import Path

from pydantic import Field
from typing_extensions import TypedDict

from kiro_core.types import Engine
from kiro_mcp.server.configured import agents_in
from kiro_mcp.server.tool import Answer, Arguments, Call, Nothing, Tool


class FolderArguments(Arguments):
    """Of tools that look into a folder."""

    working_directory: str = Field(default="", description="The folder that it is for.")


class AgentShape(TypedDict):
    """One agent configuration; `config_path` is "" for one that is no file."""

    name: str
    description: str
    config_path: str
    origin: str


class AgentsResult(TypedDict):
    """Of `kiro_agents_list`."""

    agents: list[AgentShape]
    count: int


class EngineShape(TypedDict):
    """One agent program; of `command` only the program is told: an argument may be a secret."""

    name: str
    title: str
    command: list[str]
    installed: bool
    install: str


class EnginesResult(TypedDict):
    """Of `kiro_engines_list`."""

    engines: list[EngineShape]
    count: int


class PoolShape(TypedDict):
    """There is no pool: each session has one process."""

    enabled: bool


class PoolResult(TypedDict):
    """Of `kiro_pool_stats`."""

    pool_stats: PoolShape


async def _agents(call: Call, given: FolderArguments) -> Answer:
    agents: list[AgentShape] = [
        {
            "name": agent.name,
            "description": agent.description,
            "config_path": agent.origin if Path(agent.origin).is_absolute() else "",
            "origin": agent.origin,
        }
        for agent in await agents_in(call.service, given.working_directory)
    ]
    result: AgentsResult = {"agents": agents, "count": len(agents)}
    return result


async def _engines(call: Call, given: Nothing) -> Answer:  # noqa: ARG001 - it takes no arguments
    engines = [_engine(engine) for engine in call.service.desk.engines()]
    result: EnginesResult = {"engines": engines, "count": len(engines)}
    return result


def _engine(engine: Engine) -> EngineShape:
    return {
        "name": engine.name,
        "title": engine.title,
        "command": list(engine.command[:1]),
        "installed": bool(engine.command) and shutil.which(engine.command[0]) is not None,
        "install": engine.install,
    }


async def _pool(call: Call, given: Nothing) -> Answer:  # noqa: ARG001 - there is nothing to look at
    result: PoolResult = {"pool_stats": {"enabled": False}}
    return result


AGENTS = Tool(
    name="kiro_agents_list",
    title="List agents",
    description="The agent configurations.",
    takes=FolderArguments,
    gives=AgentsResult,
    run=_agents,
    reads=True,
)


ENGINES = Tool(
    name="kiro_engines_list",
    title="List engines",
    description="The agent programs, and which are installed.",
    takes=Nothing,
    gives=EnginesResult,
    run=_engines,
    reads=True,
)


POOL = Tool(
    name="kiro_pool_stats",
    title="Pool statistics",
    description="There is no pool of processes.",
    takes=Nothing,
    gives=PoolResult,
    run=_pool,
    reads=True,
)
