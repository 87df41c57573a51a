"""Bytes cut into lines, without ever keeping more of one than anybody reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Overlong:
    """A line that was too long: its bytes, how many there may be, and what it began and ended with."""

    size: int
    longest: int
    head: bytes
    tail: bytes


class Lines:
    """Cuts a stream of bytes into lines, blank ones left out; of one that is too long it keeps only both ends."""

    def __init__(self, longest: int) -> None:
        """Take lines of at most `longest` bytes."""
        self._longest = longest
        self._parts: list[bytes] = []
        self._size = 0
        self._head = b""

    def fed(self, chunk: bytes) -> Iterator[bytes | Overlong]:
        """The lines that end in this chunk."""
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            self._keep(end)
            size, head, line = self._size, self._head, b"".join(self._parts)
            self._parts, self._size, self._head = [], 0, b""
            if size > self._longest:
                yield Overlong(size, self._longest, head, line)
            elif line.strip():
                yield line
        self._keep(rest)

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        self._parts.append(part)
        if self._size > self._longest:
            line = b"".join(self._parts)
            self._head = self._head or line[:_KEPT]
            self._parts = [line[-_KEPT:]]
