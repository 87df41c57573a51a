"""What a call returns: a text that a model reads, and the same as structure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp_types import CallToolResult, TextContent

from kiro_core.errors import KiroError
from kiro_mcp.server.results import plain
from kiro_mcp.service.failing import ToolFailure, failure_of


def returned(text: str, **structure: Any) -> CallToolResult:
    """The result of a call that did what it should."""
    return _result(text, structure, failed=False)


def refused(error: Exception) -> CallToolResult:
    """The result of a call that failed: `{code, message, details, hint}`, with the desk's own code."""
    failure = failure_of(error)
    code = error.code if isinstance(error, KiroError | ToolFailure) else failure.code
    details = {name: value for name, value in failure.details.items() if name != "cause"}
    told = {"code": code, "message": failure.sentence, "details": details, "hint": failure.hint}
    return _result("\n".join(filter(None, (f"{code}: {failure.sentence}", failure.hint))), told, failed=True)


def _result(text: str, structure: Mapping[str, Any], *, failed: bool) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=plain(text))], structured_content=plain(structure), is_error=failed)
