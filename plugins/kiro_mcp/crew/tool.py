"""What a tool for agents is: how it is offered to a model, and what runs when it is called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import mcp_types
from mcp.server import ServerRequestContext
from mcp_types import CallToolResult

from kiro_core.ports import OwnCrew
from kiro_mcp.server.schemas import input_schema
from kiro_mcp.server.tool import Arguments

Context: TypeAlias = ServerRequestContext[Any, Any]
A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool, for the session that `crew` acts for."""

    ctx: Context
    crew: OwnCrew


@dataclass(frozen=True, kw_only=True)
class CrewTool(Generic[A]):
    """One tool; `only_spawns` is there only where others may be spawned, and so are its `spawning` commands."""

    name: str
    title: str
    description: str
    takes: type[A]
    run: Callable[[Call, A], Awaitable[CallToolResult]]
    only_spawns: bool = False
    spawning: frozenset[str] = frozenset()

    def offered(self, *, spawns: bool) -> mcp_types.Tool:
        """As `tools/list` has it."""
        schema = input_schema(self.takes)
        command = schema["properties"].get("command")
        if command is not None and not spawns:
            command["enum"] = [name for name in command["enum"] if name not in self.spawning]
        return mcp_types.Tool(name=self.name, title=self.title, description=self.description, input_schema=schema)
