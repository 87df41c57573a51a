"""Gathers what one turn brought, for the object that `run --output json` prints at its end."""

from __future__ import annotations

from typing import Any

from kiro_core.cli.wording import notice_line, text_of, title_of, tool_line
from kiro_core.frames import Frame
from kiro_core.messages import MARK
from kiro_core.notices import TRUST, WAITING

_CALL_FIELDS = ("toolCallId", "title", "kind", "status")


class Report:
    """One turn so far; `about` is `{sessionId, agent, engine, model}`, empty before the session is open.

    `members` are the names of sessions below that are at work.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.about: dict[str, Any] = {}
        self.denied: bool = False
        self.members: list[str] = []
        self._text: list[str] = []
        self._calls: dict[str, dict[str, str]] = {}
        self._questions: list[dict[str, str]] = []
        self._notices: list[dict[str, str]] = []

    @property
    def in_line(self) -> bool:
        """Whether the agent's text stands in the middle of a line."""
        return bool(self._text) and not self._text[-1].endswith("\n")

    def follow(self, update: dict[str, Any]) -> tuple[str, str]:
        """Take one update: what it adds to the agent's text, and the line that tells a person of it.

        The line of a tool call between two pieces of text ends the line of the first.
        """
        match update.get("sessionUpdate"):
            case "agent_message_chunk":
                return self._said(text_of(update.get("content"))), ""
            case "tool_call":
                return self._line_end(), tool_line(title_of(self._call(update)))
            case "tool_call_update":
                call = self._call(update)
                if update.get("status") == "failed":
                    return self._line_end(), tool_line(title_of(call), "failed")
            case "notice":
                sentence = str(update.get("title", ""))
                self._notices.append({"severity": str(update.get("severity", "")), "text": sentence})
                self._noticed(update)
                return "", notice_line(sentence)
        return "", ""

    def _noticed(self, update: dict[str, Any]) -> None:
        """A rule that denies is as much of a no as a person who does."""
        meta = update.get("_meta")
        ours = meta.get(MARK) if isinstance(meta, dict) else None
        if isinstance(ours, dict) and ours.get("notice") == "tool_denied":
            call = {name: str(ours.get(name, "")) for name in ("toolCallId", "title")}
            self.asked({**call, "outcome": "denied", "optionId": ""})

    def asked(self, question: dict[str, str]) -> None:
        """Take a question with its outcome: `{toolCallId, title, outcome, optionId}`."""
        self._questions.append(question)
        # Prompts that wait on are nothing that the agent was denied.
        ours = question["toolCallId"].startswith((TRUST, WAITING))
        self.denied = self.denied or (question["outcome"] == "denied" and not ours)

    def result(self, response: Frame | None) -> dict[str, Any]:
        """The whole turn as one object, or why there is none; None stands for a turn that was cut off."""
        outcome = response.result if response is not None else {"stopReason": "cancelled"}
        failed = {"error": response.error} if response is not None and response.failed else {}
        return {
            **dict.fromkeys(("sessionId", "agent", "engine", "model"), ""),
            **self.about,
            "stopReason": outcome.get("stopReason"),
            "text": "".join(self._text),
            "usage": outcome.get("usage"),
            "toolCalls": list(self._calls.values()),
            "questions": self._questions,
            "notices": self._notices,
            **failed,
        }

    def _line_end(self) -> str:
        return self._said("\n") if self.in_line else ""

    def _said(self, text: str) -> str:
        if text:
            self._text.append(text)
        return text

    def _call(self, update: dict[str, Any]) -> dict[str, str]:
        call = self._calls.setdefault(str(update.get("toolCallId")), {})
        call |= {field: str(update[field]) for field in _CALL_FIELDS if update.get(field)}
        return call


def at_work(told: dict[str, Any]) -> list[str]:
    """The names of those who work, of what `MEMBERS` tells."""
    listed = told.get("subagents")
    members = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [str(one.get("sessionName")) for one in members if (one.get("status") or {}).get("type") == "working"]
