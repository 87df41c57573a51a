"""The conversation that a record holds, as a client receives it on `session/load`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from kiro_core.frames import Frame
from kiro_core.journal.entries import entry
from kiro_core.types import Record, SessionId

_STATE = frozenset(
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


async def conversation(records: AsyncIterator[Record], session: SessionId, head: int) -> AsyncIterator[Frame]:
    """Yield `session/update` notifications of the records up to `head`: prompts, and what the agent said and did.

    An update kind that we do not know is conversation. A tool call that never ended is closed as
    failed at the end, since nothing will ever complete it.
    """
    open_calls: dict[str, None] = {}
    async for record in records:
        if record.seq > head:
            break
        item = entry(record)
        if item.kind == "prompt":
            for block in item.frame.params.get("prompt", []):
                yield _update(session, {"sessionUpdate": "user_message_chunk", "content": block})
        elif item.kind == "update" and item.frame.method == "session/update":
            frame = item.frame
            update = frame.params.get("update")
            if isinstance(update, dict) and _is_conversation(update):
                _follow(update, open_calls)
                yield frame.with_session(session)
    for call in open_calls:
        yield _update(session, {"sessionUpdate": "tool_call_update", "toolCallId": call, "status": "failed"})


def _is_conversation(update: dict[str, Any]) -> bool:
    kind = update.get("sessionUpdate")
    # The prompt's own record stands for what the user said; an agent that echoes it would double it.
    return kind is not None and kind not in _STATE and kind != "user_message_chunk"


def _follow(update: dict[str, Any], open_calls: dict[str, None]) -> None:
    call = update.get("toolCallId")
    if not isinstance(call, str):
        return
    if update.get("status") in _SETTLED:
        open_calls.pop(call, None)
    elif update.get("sessionUpdate") == "tool_call":
        open_calls[call] = None


def _update(session: SessionId, update: dict[str, Any]) -> Frame:
    return Frame.of("session/update", {"sessionId": session, "update": update})
