"""Names what is wrong with the params of a request, of which the SDK says only that they are invalid."""

from __future__ import annotations

from typing import Any

from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from pydantic import ValidationError

_MOST_NAMED = 5


async def named_refusal(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Serve a request; a middleware of the SDK's server.

    Raises:
        MCPError: the params are not those of the method.

    """
    try:
        return await call_next(ctx)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)[:_MOST_NAMED]
        wrong = {".".join(str(part) for part in each["loc"]): each for each in found}
        missing = [f"`{name}`" for name, each in wrong.items() if each["type"] == "missing"]
        said = [_said(name, each["msg"]) for name, each in wrong.items() if each["type"] != "missing"]
        sentences = [f"{ctx.method} needs {' and '.join(missing)}.", *said] if missing else said
        raise MCPError(INVALID_PARAMS, " ".join(sentences), {"wrong": list(wrong)}) from error


def _said(name: str, message: str) -> str:
    """What pydantic says of one field, in words of JSON."""
    return f"`{name}` is not good: {message[:1].lower()}{message[1:].replace('valid dictionary', 'object')}."
