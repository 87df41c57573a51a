"""Messages as people know them, made of the chunks that a record tells."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import asdict, replace

from kiro_core.types import Told
from kiro_mcp.service.views import Item, Said

_ROLES = {"user": "user", "agent": "assistant"}
_CHUNKS = ("agent", "thought")
_UNTOLD = ("prompt", "begun", "update")


async def messages(items: AsyncIterator[Told], cleared: Callable[[], object]) -> AsyncGenerator[Said, None]:
    """Yield what was said; `cleared` is called where the history begins anew.

    What the agent says between two prompts is one message, whatever it does meanwhile.
    """
    role, at, texts = "", "", list[str]()
    async for item in items:
        if item.kind == "cleared":
            role, texts = "", []
            cleared()
        elif (speaker := _ROLES.get(item.kind)) is not None:
            if texts and (speaker == "user" or speaker != role):
                yield Said(role, "".join(texts), at)
                texts = []
            role, at = speaker, at if texts else item.at
            texts.append(item.text)
    if texts:
        yield Said(role, "".join(texts), at)


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
