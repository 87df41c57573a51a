"""Cut a byte stream into whole lines, and put lines together again for one write."""

from __future__ import annotations

from collections.abc import Iterable

from kiro_core.frames.frame import Frame
from kiro_core.frames.head import is_utf8


class Splitter:
    """Cut chunks into blocks of whole lines; a long line is kept as parts, so its cost stays linear."""

    __slots__ = ("_parts", "length")

    def __init__(self) -> None:
        """Start at the beginning of a line; `length` is that of the line which is not complete, in bytes."""
        self._parts: list[bytes] = []
        self.length = 0

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; return the whole lines that are complete now (each with its newline), or `b""`."""
        end = chunk.rfind(b"\n") + 1
        if end == 0:
            self._parts.append(chunk)
            self.length += len(chunk)
            return b""
        self.length = len(chunk) - end
        if not self._parts and end == len(chunk):
            return chunk
        self._parts.append(chunk[:end])
        block = b"".join(self._parts)
        self._parts = [chunk[end:]] if end < len(chunk) else []
        return block

    def rest(self) -> bytes:
        """What stands after the last newline, at the end of the stream."""
        return b"".join(self._parts)


def parse(block: bytes) -> list[Frame]:
    """Peek at every line of a block; blank lines are skipped, bad ones carry a `fault`.

    Line by line on purpose: a parser of many lines at once would accept an object that spans two.
    """
    utf8 = True if is_utf8(block) else None
    return [Frame.read(line, utf8=utf8) for line in block.split(b"\n") if line and not line.isspace()]


def join(frames: Iterable[Frame]) -> bytes:
    """The lines of some frames as one block for one write."""
    return b"".join([part for frame in frames for part in (frame.raw, b"\n")])
