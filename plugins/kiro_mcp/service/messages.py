"""Messages as people know them, made of the chunks that a record tells."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import asdict, replace

from kiro_core.types import Told
from kiro_mcp.service.past_views import Item, Said

_ROLES = {"user": "user", "agent": "assistant"}
_ENDS = {"cancelled": "cancelled", "failed": "failed", "unknown": "failed", "refused": "failed"}
"""What a turn's state makes of its last message."""

_CHUNKS = ("agent", "thought")
_UNTOLD = ("prompt", "begun", "update")


class _Message:
    """A message as far as it was read, of the turn in which its last part was said."""

    def __init__(self, role: str, at: str) -> None:
        self.role = role
        self.turn = ""
        self.status = ""
        self._at = at
        self._texts: list[str] = []

    def add(self, item: Told) -> None:
        self._texts.append(item.text)
        self.turn = item.turn

    def said(self) -> Said:
        return Said(self.role, "".join(self._texts), self._at, self.status)


async def messages(items: AsyncIterator[Told], cleared: Callable[[], object]) -> AsyncGenerator[Said, None]:
    """Yield what was said; `cleared` is called where the history begins anew.

    What the agent says between two prompts is one message, whatever it does meanwhile.
    """
    message: _Message | None = None
    async for item in items:
        if item.kind == "cleared":
            message = None
            cleared()
        elif item.kind == "ended":
            if message is not None and message.turn == item.turn:
                message.status = _ENDS.get(str(item.details.get("state")), "")
        elif (role := _ROLES.get(item.kind)) is not None:
            if message is not None and (role == "user" or message.role != role):
                yield message.said()
                message = None
            message = message or _Message(role, item.at)
            message.add(item)
    if message is not None:
        yield message.said()


async def entries(items: AsyncIterator[Told], most: int) -> Sequence[Item]:
    """The newest entries of a transcript behind where the history begins; consecutive chunks of one kind are one."""
    kept: deque[Item] = deque(maxlen=most)
    last: Told | None = None
    texts: list[str] = []

    def keep() -> None:
        if last is not None:
            kept.append(asdict(replace(last, text="".join(texts))))

    async for item in items:
        if item.kind in _UNTOLD:
            continue
        if last is not None and item.kind in _CHUNKS and (item.kind, item.turn) == (last.kind, last.turn):
            texts.append(item.text)
            continue
        keep()
        last, texts = item, [item.text]
        if item.kind == "cleared":
            kept.clear()
    keep()
    return list(kept)
