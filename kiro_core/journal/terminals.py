"""Terminal blocks become the text of their output for a client that has no such terminal."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

from kiro_core.frames import Frame, encode
from kiro_core.frames.splice import spliced
from kiro_core.journal.entries import Entry, entry
from kiro_core.journal.output import Output
from kiro_core.types import Record

MENTION = b"terminal"
"""What every update that concerns a terminal has in it, so that no other needs to be looked at."""

RECORDED_BYTES = 64 * 1024
"""How much of a terminal's output is recorded and shown, at most."""

_UNKNOWN = "(The output of this terminal is not on record.)"
_TERMINALS = 512
_STREAMED = ("terminal_output", "terminal_output_delta")


def content_of(frame: Frame) -> list[Any] | None:
    """The content of a tool call that an update gives, or None."""
    update = frame.params.get("update")
    if not isinstance(update, dict) or update.get("sessionUpdate") not in ("tool_call", "tool_call_update"):
        return None
    content = update.get("content")
    return content if isinstance(content, list) else None


def terminal_of(block: Any) -> str | None:
    """The id in a block `{type: "terminal", terminalId}`, or None for any other block."""
    name = block.get("terminalId") if isinstance(block, dict) and block.get("type") == "terminal" else None
    return name if isinstance(name, str) else None


def with_text(content: list[Any], text_of: Callable[[str], str | None]) -> list[Any]:
    """The same content with text in place of each terminal of which `text_of` knows the output."""

    def told(block: Any) -> Any:
        name = terminal_of(block)
        text = text_of(name) if name is not None else None
        return block if text is None else {"type": "content", "content": {"type": "text", "text": text}}

    return [told(block) for block in content]


def retold(frame: Frame, content: list[Any]) -> Frame:
    """The same update with another content; every other byte stays as it is."""
    return Frame.read(spliced(frame.raw, ("params", "update", "content"), encode(content)))


class ReplayedTerminals:
    """What the terminals of a record printed.

    Output is recorded behind the blocks that show it, so the first block looks ahead in the record,
    once and for all terminals. Kept are `RECORDED_BYTES` of each of 512 terminals.
    """

    def __init__(self, again: Callable[[int], AsyncIterator[Record]] | None, head: int) -> None:
        """`again` reads the records behind a sequence number once more, of which those up to `head` count."""
        self._again = again
        self._head = head
        self._recorded: dict[str, str] = {}
        self._streamed: dict[str, Output] = {}
        self._looked_ahead = False

    def recorded(self, item: Entry) -> None:
        """Take note of a record of kind `terminal`."""
        data = item.value
        name, text = (data.get("terminalId"), data.get("output")) if isinstance(data, dict) else (None, None)
        if isinstance(name, str) and isinstance(text, str) and len(self._recorded) < _TERMINALS:
            self._recorded[name] = text

    async def shown(self, frame: Frame, seq: int) -> Frame:
        """An update, recorded as number `seq`, as a client sees it."""
        if not self._looked_ahead:
            self._heard(frame)
        content = content_of(frame)
        if content is None or not any(terminal_of(block) for block in content):
            return frame
        if not self._looked_ahead:
            self._looked_ahead = True
            await self._look_ahead(seq)
        return retold(frame, with_text(content, self._text))

    async def _look_ahead(self, seq: int) -> None:
        if self._again is None:
            return
        records = self._again(seq)
        try:
            async for record in records:
                if record.seq > self._head:
                    break
                self._noted(entry(record))
        finally:
            if isinstance(records, AsyncGenerator):
                await records.aclose()

    def _noted(self, item: Entry) -> None:
        if item.kind == "terminal":
            self.recorded(item)
        elif item.kind == "update" and (item.raw_b64 or MENTION in bytes(item.data)):
            self._heard(item.frame)

    def _heard(self, frame: Frame) -> None:
        """Some agents run their terminals themselves and send what these print in updates' `_meta`."""
        update = frame.params.get("update")
        meta = update.get("_meta") if isinstance(update, dict) else None
        for key in _STREAMED:
            told = meta.get(key) if isinstance(meta, dict) else None
            name, data = (told.get("terminal_id"), told.get("data")) if isinstance(told, dict) else (None, None)
            if isinstance(name, str) and isinstance(data, str):
                self._stream(name).add(data.encode())

    def _stream(self, name: str) -> Output:
        if name not in self._streamed and len(self._streamed) == _TERMINALS:
            return Output(0)
        return self._streamed.setdefault(name, Output(RECORDED_BYTES))

    def _text(self, name: str) -> str:
        if name in self._recorded:
            return self._recorded[name]
        return self._streamed[name].end()[0] if name in self._streamed else _UNKNOWN
