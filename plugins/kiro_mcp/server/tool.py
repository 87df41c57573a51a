"""What a tool is: how it is offered to a host, and what runs when it is called."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Generic, TypeAlias, TypeVar

import mcp_types
from mcp_types import CallToolRequestParams, InputRequiredResult
from pydantic import BaseModel, BeforeValidator, ConfigDict

from kiro_mcp.server.schemas import input_schema, output_schema
from kiro_mcp.server.serving import Context
from kiro_mcp.service import Service
from kiro_mcp.service.hosts import Host


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole: TypeAlias = Annotated[int, BeforeValidator(_whole)]
"""A whole number, for JSON also one that is written as 5.0."""


class Arguments(BaseModel):
    """What a tool takes: no argument that it does not know, and nothing that only looks like what it wants."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Nothing(Arguments):
    """Of a tool without arguments."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool; `params` also have what the host answers to an earlier question (2026-07-28)."""

    ctx: Context
    params: CallToolRequestParams
    host: Host

    @property
    def service(self) -> Service:
        """What hosts may do."""
        return self.ctx.lifespan_context.service


Answer: TypeAlias = Mapping[str, Any] | InputRequiredResult
A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True, kw_only=True)
class Tool(Generic[A]):
    """One tool; `gives` is the `TypedDict` of its result.

    `reads` changes nothing; `destroys` may take something away or have an agent do so; a tool that is
    `repeatable` does nothing more when it is called again; `open_world` reaches what the agent reaches.
    """

    name: str
    title: str
    description: str
    takes: type[A]
    gives: Any
    run: Callable[[Call, A], Awaitable[Answer]]
    reads: bool = False
    destroys: bool = False
    repeatable: bool = False
    open_world: bool = False

    @cached_property
    def offered(self) -> mcp_types.Tool:
        """As `tools/list` has it."""
        return mcp_types.Tool(
            name=self.name,
            title=self.title,
            description=self.description,
            input_schema=input_schema(self.takes),
            output_schema=output_schema(self.gives),
            annotations=mcp_types.ToolAnnotations(
                read_only_hint=self.reads,
                destructive_hint=self.destroys,
                idempotent_hint=self.repeatable or self.reads,
                open_world_hint=self.open_world,
            ),
        )
