"""What one fixture is: how it is listed, and what it answers."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import mcp_types as types

NO_INPUT = {"type": "object", "properties": {}}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
"""A PNG of one red pixel."""


class Fixture(NamedTuple):
    """A tool or prompt: `told` as a listing shows it, `answer(context, params)` as a handler."""

    told: types.Tool | types.Prompt
    answer: Callable[[Any, Any], Awaitable[Any]]


def tool(name, answer, schema=NO_INPUT):
    """One entry of a table of tools."""
    return {name: Fixture(types.Tool(name=name, description=f"{name} of the suite.", input_schema=schema), answer)}


def strings(*names):
    """The schema of an object with these texts, all of them required."""
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(names)}


def said(*texts):
    """A result of a tool that is text."""
    return types.CallToolResult(content=[words(text) for text in texts])


def words(text):
    return types.TextContent(type="text", text=text)
