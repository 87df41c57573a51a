"""The three forms in which `run` prints a turn: text for people, JSON whole or as a stream for programs."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any, Protocol

from kiro_core.frames import Frame


class Form(Protocol):
    """What goes to stdout, as text, when something happens."""

    def session(self, about: dict[str, Any]) -> str:
        """The session is open."""
        ...

    def update(self, frame: Frame, text: str) -> str:
        """An update came, which adds `text` to the agent's words."""
        ...

    def question(self, question: dict[str, str]) -> str:
        """A question was answered."""
        ...

    def result(self, result: dict[str, Any]) -> str:
        """The turn has ended."""
        ...


class Text:
    """The agent's words and nothing else."""

    def session(self, _: dict[str, Any]) -> str:
        """Nothing."""
        return ""

    def update(self, _: Frame, text: str) -> str:
        """The words as they come."""
        return text

    def question(self, _: dict[str, str]) -> str:
        """Nothing."""
        return ""

    def result(self, result: dict[str, Any]) -> str:
        """A newline, where the words end without one."""
        return "\n" if result["text"] and not result["text"].endswith("\n") else ""


class Json:
    """One object at the end."""

    def session(self, _: dict[str, Any]) -> str:
        """Nothing."""
        return ""

    def update(self, _: Frame, __: str) -> str:
        """Nothing."""
        return ""

    def question(self, _: dict[str, str]) -> str:
        """Nothing."""
        return ""

    def result(self, result: dict[str, Any]) -> str:
        """The whole turn."""
        return json.dumps(result) + "\n"


class StreamJson:
    """One object a line, as things happen; each has a `type`."""

    def session(self, about: dict[str, Any]) -> str:
        """`{"type": "session", "sessionId", "agent", "engine", "model"}`."""
        return _line("session", about)

    def update(self, frame: Frame, _: str) -> str:
        """`update` as received; in `raw_b64` the whole message where a strict JSON parser refuses it."""
        received = frame.text_at("params", "update") if frame.strict else None
        if received is None:
            return _line("update", {"raw_b64": b64encode(frame.raw).decode()})
        return f'{{"type": "update", "update": {received.decode()}}}\n'

    def question(self, question: dict[str, str]) -> str:
        """`{"type": "question", "toolCallId", "title", "outcome", "optionId"}`."""
        return _line("question", question)

    def result(self, result: dict[str, Any]) -> str:
        """The whole turn."""
        return _line("result", result)


FORMS: dict[str, type[Form]] = {"text": Text, "json": Json, "stream-json": StreamJson}


def _line(kind: str, data: dict[str, Any]) -> str:
    return json.dumps({"type": kind, **data}) + "\n"
