"""What waits for one client, in order and counted in bytes; updates that came in a block stay one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from kiro_core.frames import Frame, Run


class Waiting:
    """Messages by the numbers of their records, 0 for none; `bytes` is what they take in memory."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.bytes: int = 0
        self._entries: list[tuple[int, Sequence[Sequence[Frame]]]] = []

    def __len__(self) -> int:
        """How often something was put here."""
        return len(self._entries)

    def put(self, seq: int, parts: Sequence[Sequence[Frame]]) -> None:
        """Put the messages of a record behind all others."""
        self._entries.append((seq, parts))
        self.bytes += sum(_size(frames) for frames in parts)

    def drop_until(self, seq: int) -> None:
        """Drop what is on record up to that number."""
        entries, self._entries, self.bytes = self._entries, [], 0
        for number, parts in entries:
            if number > seq or not number:
                self.put(number, parts)

    def unrecorded(self) -> Iterable[Frame]:
        """What is on no record."""
        return (frame for seq, parts in self._entries if not seq for frames in parts for frame in frames)

    def take(self) -> tuple[Sequence[Sequence[Frame]], int]:
        """Everything, in as few parts as can be, and the highest number; nothing waits any more."""
        entries, self._entries, self.bytes = self._entries, [], 0
        parts = entries[0][1] if len(entries) == 1 else joined([frames for _, parts in entries for frames in parts])
        return parts, max((seq for seq, _ in entries), default=0)


def joined(parts: Iterable[Sequence[Frame]]) -> list[Sequence[Frame]]:
    """The same messages in as few parts as can be: a block goes with blocks of its session, any other with others."""
    return [_one(list(group)) for _, group in groupby(filter(None, parts), _sort)]


def _sort(frames: Sequence[Frame]) -> object:
    return (frames.opening, frames.session) if isinstance(frames, Run) else None


def _one(group: Sequence[Sequence[Frame]]) -> Sequence[Frame]:
    runs = [frames for frames in group if isinstance(frames, Run)]
    return Run.joined(runs) if runs else [frame for frames in group for frame in frames]


def _size(frames: Sequence[Frame]) -> int:
    return frames.size if isinstance(frames, Run) else sum(len(frame.raw) for frame in frames)
