"""The text of what is said in content blocks, the same wherever a record is read."""

from __future__ import annotations

from typing import Any

from kiro_core.frames import Frame


def text_of(block: Any) -> str:
    """A content block: its text, or what it is, with the address of a link or a resource (ACP "Content")."""
    block = block if isinstance(block, dict) else {}
    if block.get("type") == "text":
        return str(block.get("text") or "")
    resource = block.get("resource")
    uri = block.get("uri") or (resource.get("uri") if isinstance(resource, dict) else None)
    return f"[{block.get('type')}: {uri}]" if uri else f"[{block.get('type')}]"


def prompt_text(frame: Frame) -> str:
    """The text of a prompt, a block a line at least."""
    prompt = frame.params.get("prompt")
    return "\n".join(map(text_of, prompt)) if isinstance(prompt, list) else ""
