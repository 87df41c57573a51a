"""How far a task is, made of what its record tells: the same at every reading, and small however much is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kiro_core.types import Told
from kiro_mcp.service.failing import ToolFailure, failure_in
from kiro_mcp.service.showing import one_line
from kiro_mcp.service.views import Chunk, ToolState

_TOOLS = 20
_STATUS = {"settled": "completed", "cancelled": "cancelled"}


@dataclass(slots=True)
class Progress:
    """A task after record number `seq`; `before` is the number behind which it is read from its beginning.

    `turn` is "" until its prompt was met, and `running` between its begin and its end, with an agent that calls its
    own session `session`. `count` is how many chunks came,
    in `size` bytes of UTF-8. `status` is as in `TaskView`, and `ended` says that no more will come.
    """

    key: str
    seq: int = 0
    before: int = 0
    turn: str = ""
    status: str = "pending"
    running: bool = False
    session: str = ""
    ended: bool = False
    created_at: str = ""
    started_at: str = ""
    completed_at: str = ""
    count: int = 0
    size: int = 0
    stop_reason: str = ""
    failure: ToolFailure | None = None
    tools: Mapping[str, ToolState] | None = None

    def copy(self) -> Progress:
        """The same, to read on from there."""
        return replace(self)

    def again(self) -> Progress:
        """The task as it was before its prompt was accepted."""
        return Progress(self.key, self.before, self.before)

    def follow(self, item: Told) -> Chunk | None:
        """Take note of what comes next in the record; the chunk that it is, if it is one of this task."""
        self.seq = max(self.seq, item.seq)
        if item.kind == "prompt" and item.details.get("task") == self.key:
            self.turn, self.created_at, self.before = item.turn, item.at, item.seq - 1
        elif item.kind == "agent" and self._is_ours(item):
            return self._said(item)
        elif item.kind == "tool" and self._is_ours(item):
            self._used(item)
        elif self.turn and item.turn == self.turn and item.kind == "begun":
            self.status, self.running, self.started_at = "running", True, item.at
            self.session = str(item.details.get("session") or "")
        elif self.turn and item.turn == self.turn and item.kind == "ended":
            self.settle(item.details, item.at)
        return None

    def settle(self, outcome: Mapping[str, Any], at: str) -> None:
        """Take note of the turn's outcome, `{state, stopReason?, error?, reason?}`."""
        self.running, self.completed_at = False, at
        state, error = str(outcome.get("state")), outcome.get("error")
        self.ended, self.status = True, _STATUS.get(state, "failed")
        self.stop_reason = str(outcome.get("stopReason") or "")
        if isinstance(error, dict):
            self.failure = failure_in(error)
        elif self.status == "failed":
            self.failure = interrupted(str(outcome.get("reason") or ""))

    def _is_ours(self, item: Told) -> bool:
        """Whether this turn's own agent speaks, and no child of it: an agent has one turn at a time."""
        return self.running and (not self.session or item.details.get("session") in (None, self.session))

    def _said(self, item: Told) -> Chunk:
        self.status = "streaming"
        self.count += 1
        self.size += len(item.text.encode(errors="replace"))
        return Chunk(item.text, self.count - 1, item.at)

    def _used(self, item: Told) -> None:
        tools = dict(self.tools or {})
        call = str(item.details.get("toolCallId"))
        before = tools.pop(call, ToolState(call, "pending"))
        title, status = one_line(item.text) or before.title, str(item.details.get("status") or before.status)
        tools[call] = ToolState(title, status)
        self.tools = dict(list(tools.items())[-_TOOLS:])


def interrupted(reason: str) -> ToolFailure:
    """Nobody knows how the turn ended."""
    sentence = reason or "The turn was cut off, and nobody knows how it would have ended."
    return ToolFailure("STREAM_INTERRUPTED", sentence, hint="What was said so far is there; ask again.")
