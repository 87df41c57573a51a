"""Cut a byte stream into whole lines, and put lines together again for one write."""

from __future__ import annotations

from collections.abc import Iterable

from kiro_core.frames.frame import Frame
from kiro_core.frames.head import is_utf8
from kiro_core.frames.run import Run


class Splitter:
    """Cut chunks into blocks of whole lines; the cost of a long line stays linear.

    Its beginning is one growing buffer: thousands of chunks would leave holes in memory that stay.
    """

    __slots__ = ("_begun",)

    def __init__(self) -> None:
        """Start at the beginning of a line."""
        self._begun = bytearray()

    @property
    def length(self) -> int:
        """That of the line which is not complete, in bytes."""
        return len(self._begun)

    def feed(self, chunk: bytes) -> bytes:
        """Take a chunk; return the whole lines that are complete now (each with its newline), or `b""`."""
        end = chunk.rfind(b"\n") + 1
        if end == 0:
            self._begun += chunk
            return b""
        if not self._begun and end == len(chunk):
            return chunk
        self._begun += chunk[:end]
        block = bytes(self._begun)
        self._begun = bytearray(chunk[end:])
        return block

    def rest(self) -> bytes:
        """What stands after the last newline, at the end of the stream."""
        return bytes(self._begun)


def parse(block: bytes) -> list[Frame]:
    """Peek at every line of a block; blank lines are skipped, bad ones carry a `fault`.

    Line by line on purpose: a parser of many lines at once would accept an object that spans two.
    """
    utf8 = True if is_utf8(block) else None
    return [Frame.read(line, utf8=utf8) for line in block.split(b"\n") if line and not line.isspace()]


def join(frames: Iterable[Frame]) -> bytes:
    """The lines of some frames as one block for one write."""
    if isinstance(frames, Run):
        return frames.block
    return b"".join([part for frame in frames for part in (frame.raw, b"\n")])
