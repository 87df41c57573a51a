"""What an agent wants to know, read out of its request: which tool, and on what it would work; and its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

import anyio

from kiro_core.frames import Frame
from kiro_core.messages import MARK, chosen
from kiro_mcp.service.showing import one_line, shown, utc_now
from kiro_mcp.service.views import Option, Question

_ABOUT = 2000
_REFUSING = ("reject_once", "reject_always")
_TRUST = "kiro_core-trust"
"""The tool call of the desk's own question whether a folder is trusted: what runs in it may not say so itself."""

_WAITING = "kiro_core-waiting-"
"""How that of its question begins whether prompts of a killed desk are to be sent."""


class Asked:
    """One open question, and its answer (ACP `session/request_permission`)."""

    def __init__(self, question: Question) -> None:
        """Nobody has answered: `answered` is set when somebody has, `over` when the agent has it or took it back."""
        self.question = question
        self.answered = anyio.Event()
        self.over = anyio.Event()
        self.answer = chosen(None)

    def choose(self, option: str) -> None:
        """Answer it, unless somebody has."""
        if not self.answered.is_set():
            self.answer = chosen({"optionId": option})
            self.answered.set()

    def is_refused_by(self, option: str) -> bool:
        """Whether an option says no."""
        return any(each.id == option and each.kind in _REFUSING for each in self.question.options)

    def refuse(self) -> None:
        """Say no, in the narrowest way that the agent offers."""
        kinds = {option.kind: option.id for option in reversed(self.question.options)}
        refusing = next((kinds[kind] for kind in _REFUSING if kind in kinds), None)
        if refusing is not None:
            self.choose(refusing)
        self.answered.set()


def question_of(frame: Frame, cwd: str) -> Question:
    """The question of a `session/request_permission` about a session that works in `cwd`."""
    call = _mapping(frame.params.get("toolCall"))
    ours = _mapping(_mapping(frame.params.get("_meta")).get(MARK))
    title = one_line(str(call.get("title") or "The agent asks before it goes on."))
    id_ = str(call.get("toolCallId") or "")
    trust = id_ == _TRUST
    return Question(
        token_hex(12),
        frame.session or "",
        title,
        one_line(str(ours.get("tool") or call.get("kind") or "other")),
        [_option(option) for option in _mappings(frame.params.get("options"))],
        utc_now(),
        person_only=trust,
        notice=f"The folder {cwd} is not trusted: kiro-core trust {cwd}" if trust else "",
        of_session=trust or id_.startswith(_WAITING),
        about=_about(call, str(ours.get("about") or ""), title),
    )


def _about(call: Mapping[str, Any], told: str, title: str) -> str:
    """What the desk found out, and besides that what the call itself shows; nothing that the title says already."""
    files = _files(call)
    lines = [files.get(line, line) for line in told.splitlines()]
    lines += (line for path, line in files.items() if path not in told)
    if not lines and call.get("rawInput"):
        lines = [json.dumps(call["rawInput"], ensure_ascii=False, default=str)]
    about = shown("\n".join(lines))
    if about in title:
        return ""
    return about if len(about) <= _ABOUT else f"{about[: _ABOUT - 3]}..."


def _files(call: Mapping[str, Any]) -> Mapping[str, str]:
    """The files that a call shows, by their paths, each with what is told of it."""
    edits = [part for part in _mappings(call.get("content")) if part.get("type") == "diff"]
    files = {str(place["path"]): str(place["path"]) for place in _mappings(call.get("locations")) if place.get("path")}
    for edit in edits:
        before, after = (len(str(edit.get(key) or "").splitlines()) for key in ("oldText", "newText"))
        files[str(edit.get("path"))] = f"{edit.get('path')} ({before} lines become {after})"
    return files


def _option(option: Mapping[str, Any]) -> Option:
    id_ = str(option.get("optionId") or "")
    return Option(id_, one_line(str(option.get("name") or id_)), str(option.get("kind") or ""))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
