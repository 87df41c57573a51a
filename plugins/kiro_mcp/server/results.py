"""What a call returns, in every form that hosts read: one JSON object, as structure and as one text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from mcp_types import CallToolResult, TextContent

from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.showing import shown


def returned(answer: Mapping[str, Any]) -> CallToolResult:
    """The result of a call that did what it should."""
    return _result(answer, failed=False)


def refused(failure: ToolFailure) -> CallToolResult:
    """The result of a call that failed: `{code, message, details, hint}`."""
    return _result(failure.told(), failed=True)


def _result(answer: Mapping[str, Any], *, failed: bool) -> CallToolResult:
    told = plain(answer)
    text = json.dumps(told, ensure_ascii=False)
    return CallToolResult(content=[TextContent(text=text)], structured_content=told, is_error=failed)


def plain(value: Any) -> Any:
    """A JSON value of which no text steers a terminal."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {shown(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    return value
