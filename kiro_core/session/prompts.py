"""Bring a prompt into the form that an agent can take, or say which part it cannot."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from kiro_core.errors import AgentUnable
from kiro_core.frames import Frame
from kiro_core.notices import without_wishes
from kiro_core.session.updates import printable
from kiro_core.types import Engine

_TITLE_LENGTH = 150


def check_prompt(frame: Frame, engine: Engine, abilities: AbstractSet[str]) -> None:
    """Refuse what the agent cannot take and nothing can stand for (ACP "Prompt Capabilities").

    Raises:
        AgentUnable: the sentence names the first such block.

    """
    for number, block in enumerate(_blocks(frame), 1):
        kind = block.get("type")
        if kind in ("image", "audio") and kind not in abilities:
            what = f"{kind} ({_name(block)})"
        elif kind == "resource" and "embeddedContext" not in abilities and "text" not in _resource(block):
            what = f"resource without text ({_name(_resource(block))})"
        else:
            continue
        raise AgentUnable(
            f"{engine.title or engine.name} cannot take the {what}, block {number} of the prompt.",
            hint="Leave it out, or begin a session with another engine.",
            block=number,
            type=kind,
        )


def adapted(frame: Frame, abilities: AbstractSet[str]) -> Frame:
    """The prompt for the agent: embedded resources become text where it takes none; what is for the desk is gone."""
    params = without_wishes(frame.params)
    if "embeddedContext" not in abilities:
        params["prompt"] = [_as_text(block) for block in _blocks(frame)]
    return frame if params == frame.params else Frame.of("session/prompt", params, id=0)


def prompt_title(frame: Frame) -> str:
    """The first line of a prompt's text, at most 150 characters."""
    for block in _blocks(frame):
        text = block.get("text")
        if isinstance(text, str) and text.strip():
            # Cut first: a prompt may be one line of many megabytes.
            line = printable(text.lstrip()[: 2 * _TITLE_LENGTH].rstrip().splitlines()[0])
            return line if len(line) <= _TITLE_LENGTH else line[: _TITLE_LENGTH - 3] + "..."
    return ""


def with_preface(frame: Frame, text: str) -> Frame:
    """The same prompt with a text block in front, for an agent that has no place of its own for it."""
    params = frame.params
    return Frame.of("session/prompt", {**params, "prompt": [{"type": "text", "text": text}, *_blocks(frame)]}, id=0)


def _as_text(block: dict[str, Any]) -> dict[str, Any]:
    if block.get("type") != "resource":
        return block
    resource = _resource(block)
    return {"type": "text", "text": f'<resource uri="{_name(resource)}">\n{resource.get("text")}\n</resource>'}


def _resource(block: dict[str, Any]) -> dict[str, Any]:
    resource = block.get("resource")
    return resource if isinstance(resource, dict) else {}


def _name(about: dict[str, Any]) -> str:
    named = about.get("uri") or about.get("mimeType")
    return str(named) if named else "without a name"


def _blocks(frame: Frame) -> list[dict[str, Any]]:
    prompt = frame.params.get("prompt")
    return [block for block in prompt if isinstance(block, dict)] if isinstance(prompt, list) else []
