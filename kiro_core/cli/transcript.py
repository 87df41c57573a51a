"""Turns the records of a session into lines that a person reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from kiro_core.cli.text import one_line
from kiro_core.cli.wording import notice_line, question_line, text_of, title_of, tool_line
from kiro_core.journal import Came, Entry, prompted, readable
from kiro_core.types import Record

_RUNS_WITH = ("opened", "configured")
"""The records that say with which agent configuration and engine a session goes on."""


async def transcript(records: AsyncIterator[Record]) -> AsyncIterator[str]:
    """Yield what was said and done; a text is one item whatever number of chunks it came in."""
    said: list[str] = []
    titles: dict[str, str] = {}
    came = Came()
    now = ""
    async for record in records:
        if (item := readable(record)) is None or (item.kind == "message" and not came.is_new(item)):
            continue
        if item.kind in _RUNS_WITH:
            before, now = now, _now(item.value)
            if before not in {"", now}:
                yield notice_line(now)
        update = _update(item)
        if update.get("sessionUpdate") == "agent_message_chunk":
            said.append(text_of(update.get("content")))
            continue
        for line in [*_update_lines(update, titles), *_lines(item, titles)]:
            for text in _spoken(said):
                yield text
            yield line
    for text in _spoken(said):
        yield text


def _spoken(said: list[str]) -> Iterator[str]:
    text = "".join(said).strip()
    said.clear()
    if text:
        yield f"agent: {text}"


def _now(value: Any) -> str:
    """What a session goes on with from there, of the record `configured`."""
    value = value if isinstance(value, dict) else {}
    names = {key: (value.get(key) or {}).get("name", "") for key in ("agent", "engine")}
    return one_line(f"The session goes on as '{names['agent']}' with the engine '{names['engine']}'.")


def _update(item: Entry) -> dict[str, Any]:
    update = item.frame.params.get("update") if item.kind == "update" else None
    return update if isinstance(update, dict) else {}


def _update_lines(update: dict[str, Any], titles: dict[str, str]) -> Iterator[str]:
    call = str(update.get("toolCallId"))
    if update.get("sessionUpdate") == "tool_call":
        titles[call] = one_line(title_of(update))
        yield tool_line(titles[call])
    elif update.get("sessionUpdate") == "tool_call_update" and update.get("status") == "failed":
        yield tool_line(titles.get(call, call), "failed")


def _lines(item: Entry, titles: dict[str, str]) -> Iterator[str]:
    match item.kind:
        case "prompt":
            blocks = item.frame.params.get("prompt") or []
            who = "inbox" if prompted(item.frame).messages else "you"
            yield f"{who}: " + "\n".join(map(text_of, blocks)).strip()
        case "message" | "message_expired":
            value, gone = item.value, " (nobody will read it)" if item.kind == "message_expired" else ""
            sender = value.get("name") or value.get("sender") or "a person"
            yield one_line(f"message from {sender}{gone}: {value.get('text')}")
        case "answer":
            value = item.value
            call = str(value.get("toolCallId"))
            yield question_line(titles.get(call, call), _answer(value))
        case "notice":
            yield notice_line(one_line(str(item.value.get("text"))))
        case "turn_ended":
            yield f"turn: {_ended(item.value)}"
        case "gap" | "kept_out" | "taken_over":
            yield f"record: {_of_record(item.kind, item.value or {})}"
        case "crew_event":
            value = item.value
            what = value.get("outcome") or value.get("choice") or ""
            yield one_line(f"run: {' '.join(filter(None, (value.get('stage'), value.get('kind'), what)))}")
        case "closed":
            yield f"session ended: {one_line(str(item.value.get('reason')))}"


def _of_record(kind: str, value: dict[str, Any]) -> str:
    """What became of the record itself."""
    if kind == "gap":
        return f"damaged from {value.get('first')} to {value.get('last')}, and lost"
    if kind == "kept_out":
        return one_line(f"updates kept out by '{value.get('by')}': {value.get('updates')}. {value.get('reason')}")
    return "taken over by force"


def _answer(value: dict[str, Any]) -> str:
    outcome = value.get("outcome")
    outcome = outcome if isinstance(outcome, dict) else {}
    return one_line(f"{outcome.get('optionId') or outcome.get('outcome')} ({value.get('by')})")


def _ended(value: dict[str, Any]) -> str:
    if isinstance(error := value.get("error"), dict):
        return one_line(str(error.get("message")))
    if reason := value.get("reason"):
        return one_line(f"{value.get('state')}: {reason}")
    return one_line(str(value.get("stopReason")))
