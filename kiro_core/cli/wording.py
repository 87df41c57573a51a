"""One line for each thing that happens beside the agent's words, the same live and from the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiro_core.cli.text import one_line
from kiro_core.messages import MARK

_STEP = {"completed": "x", "in_progress": ">"}


def tool_line(title: str, status: str = "") -> str:
    """A tool call, or with `status` how it went."""
    return f"tool: {title}: {status}" if status else f"tool: {title}"


def question_line(title: str, answer: str) -> str:
    """A question of the agent and what came of it."""
    return f"question: {title}: {answer}"


def notice_line(sentence: str) -> str:
    """Something that the desk tells."""
    return f"notice: {sentence}"


def plan_lines(entries: Any) -> str:
    """A plan, a line for each step with a mark of how far it is (ACP `plan`)."""
    steps = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    lines = (f"  {_STEP.get(str(step.get('status')), ' ')} {one_line(str(step.get('content', '')))}" for step in steps)
    return "\n".join(["plan:", *lines])


def title_of(call: Any) -> str:
    """What a tool call is called: its title, else its id."""
    call = call if isinstance(call, dict) else {}
    return str(call.get("title") or call.get("toolCallId") or "a tool")


def asked_about(title: str, params: Mapping[str, Any]) -> str:
    """What a person is asked: the title, and what the tool would work on where that does not say it."""
    meta = params.get("_meta")
    ours = meta.get(MARK) if isinstance(meta, dict) else None
    about = str(ours.get("about") or "") if isinstance(ours, dict) else ""
    return title if not about or about in title else f"{title} ({one_line(about)})"


def text_of(block: Any) -> str:
    """A content block in a text: its text, the address of a link, or the kind of what cannot be shown."""
    block = block if isinstance(block, dict) else {}
    if isinstance(text := block.get("text"), str):
        return text
    resource = block.get("resource")
    address = block.get("uri") or (resource.get("uri") if isinstance(resource, dict) else None)
    return str(address) if address else f"[{block.get('type', 'content')}]"
