"""What a call returns, in every form that hosts read: one JSON object, as structure and as one text."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mcp_types import CallToolResult, TextContent

from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.showing import shown

_SENTENCE_ENDS = re.compile(r"(?<=[.;]) ")
_TOOL = re.compile(r"\bkiro_[a-z_]+")


def returned(answer: Mapping[str, Any], unoffered: Collection[str] = ()) -> CallToolResult:
    """The result of a call that did what it should; no hint in it names a tool that is `unoffered`."""
    told = plain(answer)
    if isinstance(error := told.get("error"), dict):
        told["error"] = {**error, "hint": _usable(error["hint"], unoffered)}
    return _result(told, failed=False)


def refused(failure: ToolFailure, unoffered: Collection[str] = ()) -> CallToolResult:
    """The result of a call that failed: `{code, message, details, hint}`."""
    told = plain(failure.told())
    return _result({**told, "hint": _usable(told["hint"], unoffered)}, failed=True)


def _result(told: dict[str, Any], *, failed: bool) -> CallToolResult:
    text = json.dumps(told, ensure_ascii=False)
    return CallToolResult(content=[TextContent(text=text)], structured_content=told, is_error=failed)


def _usable(hint: str, unoffered: Collection[str]) -> str:
    """The sentences of a hint that a host can follow."""
    sentences = _SENTENCE_ENDS.split(hint)
    return " ".join(one for one in sentences if not set(_TOOL.findall(one)).intersection(unoffered))


def plain(value: Any) -> Any:
    """A JSON value of which no text steers a terminal."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {shown(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    return value
