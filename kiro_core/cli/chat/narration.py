"""Turns the updates of a session into what a person is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kiro_core.cli.chat.told import Told
from kiro_core.cli.text import one_line
from kiro_core.cli.wording import notice_line, plan_lines, text_of, title_of, tool_line
from kiro_core.messages import MARK


class Narration:
    """One session; it remembers how its tool calls are called."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._titles: dict[str, str] = {}

    def follow(self, update: dict[str, Any], *, replaying: bool) -> Iterator[Told]:
        """What an update tells; a person's own words are news only in a replay, another person's always."""
        call = str(update.get("toolCallId"))
        match update.get("sessionUpdate"):
            case "agent_message_chunk":
                yield Told("said", text_of(update.get("content")))
            case "agent_thought_chunk":
                yield Told("thought", text_of(update.get("content")))
            case "user_message_chunk" if replaying or MARK in (update.get("_meta") or {}):
                yield Told("yours", "> " + text_of(update.get("content")))
            case "tool_call":
                self._titles[call] = one_line(title_of(update))
                yield Told("tool", tool_line(self._titles[call]))
            case "tool_call_update" if update.get("status") == "failed":
                title = one_line(str(update.get("title") or self._titles.get(call, call)))
                yield Told("tool", tool_line(title, "failed"))
            case "plan":
                yield Told("plan", plan_lines(update.get("entries")))
            case "notice":
                yield Told("notice", notice_line(one_line(str(update.get("title", "")))))
