"""What records tell whoever wants to show or follow a conversation, without knowing how it is recorded."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any, NamedTuple, cast

from kiro_core.frames import Frame
from kiro_core.journal.came import Came
from kiro_core.journal.contents import prompt_text, text_of
from kiro_core.journal.entries import Entry, readable
from kiro_core.journal.replay import Prompts, lost, said_at
from kiro_core.messages import MARK
from kiro_core.types import Record, Told

_CHUNKS = {"agent_message_chunk": "agent", "agent_thought_chunk": "thought"}
_SPOKEN = ("agent", "thought", "tool")
_TOOLS = ("tool_call", "tool_call_update")
_BEGUN = ("session", "messages")
_LETTER = ("id", "sender", "name", "kind", "hops", "about")
_CALL = ("toolCallId", "title", "kind", "status")
_EVENTS = {
    "answer": ("answer", ""),
    "notice": ("notice", "text"),
    "message": ("message", "text"),
    "message_expired": ("expired", "text"),
    "message_read": ("read", ""),
    "crew_summary": ("summary", "text"),
    "context_reset": ("reset", "reason"),
    "history_cleared": ("cleared", ""),
    "unrecorded": ("lost", ""),
    "kept_out": ("kept out", "reason"),
    "closed": ("closed", "reason"),
}
"""The events that are told: as which kind, and which of their fields is the text."""


class _Item(NamedTuple):
    kind: str
    text: str = ""
    details: Mapping[str, Any] = {}


async def told(
    records: AsyncIterator[Record], again: Callable[[], AsyncIterator[Record]] | None = None
) -> AsyncGenerator[Told, None]:
    """Yield what records tell, in order; what tells nothing, or cannot be read, is passed over.

    `again` reads the whole log: a prompt that is said in `records` may have been accepted before them.
    """
    telling = _Telling()
    async with aclosing(cast("AsyncGenerator[Record, None]", records)) as read:
        async for record in read:
            if (entry := readable(record)) is None:
                continue
            met, prompt = telling.prompts.met(entry), telling.prompts.said(entry)
            if not met and again is not None:
                prompt = await said_at(again(), entry.turn, record.seq)
            turn = entry.turn or telling.running
            for item in telling.items(entry, prompt):
                yield Told(record.seq, item.kind, entry.at, turn, item.text, item.details)


class _Telling:
    """Tells one record after the other; it remembers which turn is `running`, and under which ids its agent speaks.

    A letter that nobody reads comes in each life of the session, and is told once.
    """

    def __init__(self) -> None:
        self.prompts = Prompts()
        self.running = ""
        self._own: set[str] = set()
        self._came = Came()

    def items(self, entry: Entry, prompt: Frame | None) -> list[_Item]:
        user = [_Item("user", prompt_text(prompt))] if prompt is not None else []
        match entry.kind:
            case "turn_begun":
                return [self._begun(entry), *user]
            case "turn_ended":
                return [*user, self._ended(entry)]
            case "opened":
                self.running = ""
            case "message" if not self._came.is_new(entry):
                return []
        item = self._item(entry)
        return [item] if item is not None else []

    def _item(self, entry: Entry) -> _Item | None:
        match entry.kind:
            case "prompt":
                return _Item("prompt", prompt_text(entry.frame), _task(entry.frame))
            case "update":
                return self._update(entry.frame)
            case "shown":
                return _update(entry.frame)
            case "question":
                return _question(entry.frame.params)
            case "gap" if {"first", "last"} <= _fields(entry).keys():
                return _Item("lost", lost(entry).sentence, _fields(entry))
        kind, text = _EVENTS.get(entry.kind, ("", ""))
        fields = _fields(entry)
        of = {name: fields[name] for name in _LETTER if name in fields} if kind in ("message", "expired") else fields
        return _Item(kind, str(fields.get(text) or ""), of) if kind else None

    def _begun(self, entry: Entry) -> _Item:
        self.running = entry.turn
        fields = _fields(entry)
        if isinstance(session := fields.get("session"), str):
            self._own.add(session)
        return _Item("begun", str(fields.get("told") or ""), {name: fields[name] for name in _BEGUN if name in fields})

    def _ended(self, entry: Entry) -> _Item:
        self.running = "" if self.running == entry.turn else self.running
        return _Item("ended", details={name: value for name, value in _fields(entry).items() if name != "open"})

    def _update(self, frame: Frame) -> _Item:
        if frame.session is None or frame.session in self._own:
            return _update(frame)
        if self._own:  # a child of the agent's, under an id of its own
            return _Item("update", details=_body(frame))
        item = _update(frame)
        return item._replace(details={**item.details, "session": frame.session}) if item.kind in _SPOKEN else item


def _update(frame: Frame) -> _Item:
    update = _body(frame)
    kind = str(update.get("sessionUpdate"))
    if kind in _CHUNKS:
        return _Item(_CHUNKS[kind], text_of(update.get("content")))
    if kind in _TOOLS:
        return _Item("tool", str(update.get("title") or ""), {name: update[name] for name in _CALL if name in update})
    if kind == "plan":
        return _Item("plan", details={"entries": update.get("entries")})
    return _Item("update", details=update)


def _body(frame: Frame) -> dict[str, Any]:
    """An update; of any other notification its method and params."""
    update = frame.params.get("update")
    if frame.method == "session/update" and isinstance(update, dict):
        return update
    return {"method": frame.method, "params": frame.params}


def _task(prompt: Frame) -> dict[str, Any]:
    """What whoever prompted calls the turn: `_meta.kiro_core.task`."""
    meta = prompt.params.get("_meta")
    ours = meta.get(MARK) if isinstance(meta, dict) else None
    task = ours.get("task") if isinstance(ours, dict) else None
    return {"task": task} if isinstance(task, str) else {}


def _question(params: Mapping[str, Any]) -> _Item:
    call = params.get("toolCall")
    call = call if isinstance(call, dict) else {}
    title = call.get("title") or params.get("message")
    told_of = {"toolCallId": call.get("toolCallId"), "kind": call.get("kind"), "options": params.get("options")}
    return _Item("question", str(title or ""), {name: value for name, value in told_of.items() if value is not None})


def _fields(entry: Entry) -> dict[str, Any]:
    value = entry.value
    return value if isinstance(value, dict) else {}
