"""The conversation that a record holds, as a client receives it on `session/load`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, cast

from kiro_core.frames import Frame
from kiro_core.journal.entries import Entry, readable
from kiro_core.journal.terminals import MENTION, ReplayedTerminals
from kiro_core.messages import MARK
from kiro_core.notices import at_next_turn
from kiro_core.types import GAP, Notice, Record, SessionId

STATE_UPDATES = frozenset(
    {
        "available_commands_update",
        "config_option_update",
        "current_mode_update",
        "notice",
        "session_info_update",
        "usage_update",
    }
)
"""Updates that tell the agent's state at that time, not the conversation."""

_SETTLED = ("completed", "failed")


async def unfinished_calls(records: AsyncIterator[Record], session: SessionId, head: int) -> list[Frame]:
    """The tool calls in records up to `head` that never ended, each as an update that says that it failed."""
    open_calls: dict[str, None] = {}
    try:
        async for record in records:
            if record.seq > head:
                break
            for frame in _said(readable(record) or Entry("", ""), session):
                _follow(frame, open_calls)
    finally:
        if isinstance(records, AsyncGenerator):
            await records.aclose()
    return _failed(open_calls, session)


async def spoken(records: AsyncIterator[Record], session: SessionId, head: int) -> str:
    """What the agent says in records up to `head`, put together."""
    texts: list[str] = []
    async with aclosing(cast("AsyncGenerator[Record, None]", records)) as read:
        async for record in read:
            if record.seq > head:
                break
            for frame in _said(readable(record) or Entry("", ""), session):
                body = _body(frame)
                content = body.get("content")
                if body.get("sessionUpdate") == "agent_message_chunk" and isinstance(content, dict):
                    texts.append(str(content.get("text") or ""))
    return "".join(texts)


async def conversation(
    records: AsyncIterator[Record],
    session: SessionId,
    head: int,
    *,
    running: bool = False,
    again: Callable[[int], AsyncIterator[Record]] | None = None,
) -> AsyncGenerator[Frame, None]:
    """Yield `session/update` notifications of the records up to `head`: prompts, and what the agent said and did.

    An update kind that we do not know is conversation, and so is the place where records are lost. A tool
    call that never ended is closed as failed at the end, since nothing will ever complete it, unless a
    turn is `running`. A terminal is shown as the text of its output, for which `again` reads the records
    behind a number once more.
    """
    terminals = ReplayedTerminals(again, head)
    open_calls: dict[str, None] = {}
    prompts = Prompts()
    try:
        async for record in records:
            if record.seq > head:
                break
            item = readable(record) or Entry("", "")
            for frame in user_message(prompts.said(item), session):
                yield frame
            if _cut_off(item):
                for frame in _failed(open_calls, session):
                    yield frame
                open_calls.clear()
            if item.kind == "terminal":
                terminals.recorded(item)
            for frame in _said(item, session):
                _follow(frame, open_calls)
                shown = await terminals.shown(frame, record.seq) if MENTION in frame.raw else frame
                yield shown.with_session(session)
    finally:
        if isinstance(records, AsyncGenerator):
            await records.aclose()
    for frame in () if running else _failed(open_calls, session):
        yield frame


def _failed(open_calls: dict[str, None], session: SessionId) -> list[Frame]:
    told = {"sessionUpdate": "tool_call_update", "status": "failed"}
    return [_update(session, {**told, "toolCallId": call}) for call in open_calls]


def _cut_off(item: Entry) -> bool:
    """Whether a turn ended here in such a way that nobody completes its tool calls."""
    outcome = item.value if item.kind == "turn_ended" else None
    return isinstance(outcome, dict) and outcome.get("state") in ("cancelled", "failed", "unknown")


def lost(item: Entry) -> Notice:
    """What a client is told of a gap."""
    data = item.value
    sentence = f"The record is damaged here: what was in it from {data['first']} to {data['last']} is lost."
    return Notice(GAP, sentence, details=data)


def user_message(prompt: Frame | None, session: SessionId, turn: str = "") -> list[Frame]:
    """What a prompt says, as a client is shown it that did not write it; nothing for none.

    With `turn`, `_meta.kiro_core.turn` tells it from what an agent repeats of the client's own prompt.
    """
    blocks = prompt.params.get("prompt") if prompt is not None else None
    told = blocks if isinstance(blocks, list) else []
    marked = {"_meta": {MARK: {"turn": turn}}} if turn else {}
    return [_update(session, {"sessionUpdate": "user_message_chunk", "content": block, **marked}) for block in told]


class Prompts:
    """When a prompt is part of the conversation: when the agent is sent it, or when it ends without that."""

    def __init__(self) -> None:
        """Begin with none."""
        self._waiting: dict[str, Frame] = {}
        self._begun: set[str] = set()

    def met(self, item: Entry) -> bool:
        """Whether the prompt that a record may make part of the conversation was met, or is part of it already.

        Where the first records were not read, it may be among them: see `said_at`.
        """
        known = item.turn in self._waiting or item.turn in self._begun
        return known or item.kind not in ("turn_begun", "turn_ended")

    def said(self, item: Entry) -> Frame | None:
        """The prompt that a record makes part of the conversation, if any; one that was refused never is."""
        if item.kind == "prompt":
            self._waiting[item.turn] = item.frame
            return None
        if item.kind not in ("turn_begun", "turn_ended"):
            return None
        prompt = self._waiting.pop(item.turn, None)
        if item.kind == "turn_begun":
            self._begun.add(item.turn)
            return prompt
        self._begun.discard(item.turn)
        return None if _refused(item) else prompt


async def said_at(records: AsyncIterator[Record], turn: str, seq: int) -> Frame | None:
    """The prompt of a turn that record number `seq` makes part of the conversation; `records` begin with the first."""
    prompts = Prompts()
    async with aclosing(cast("AsyncGenerator[Record, None]", records)) as read:
        async for record in read:
            item = readable(record)
            prompt = prompts.said(item) if item is not None and item.turn == turn else None
            if record.seq >= seq:
                return prompt
    return None


def _refused(item: Entry) -> bool:
    """Whether the prompt was never accepted: it reached the store after all."""
    outcome = item.value
    return isinstance(outcome, dict) and outcome.get("state", "refused") == "refused" and "error" in outcome


def _said(item: Entry, session: SessionId) -> list[Frame]:
    if item.kind == GAP:
        return [at_next_turn(lost(item), session)]
    if item.kind != "update" or (frame := item.frame).method != "session/update":
        return []
    kind = _body(frame).get("sessionUpdate")
    # The prompt's own record stands for what the user said; an agent that echoes it would double it.
    said = isinstance(kind, str) and kind not in STATE_UPDATES and kind != "user_message_chunk"
    return [frame] if said else []


def _body(frame: Frame) -> dict[str, Any]:
    update = frame.params.get("update")
    return update if isinstance(update, dict) else {}


def _follow(frame: Frame, open_calls: dict[str, None]) -> None:
    update = _body(frame)
    call = update.get("toolCallId")
    if not isinstance(call, str):
        return
    if update.get("status") in _SETTLED:
        open_calls.pop(call, None)
    elif update.get("sessionUpdate") == "tool_call":
        open_calls[call] = None


def _update(session: SessionId, update: dict[str, Any]) -> Frame:
    return Frame.of("session/update", {"sessionId": session, "update": update})
