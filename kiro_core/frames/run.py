"""Updates that arrived together stay one block of bytes until somebody looks at one of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import overload

from kiro_core.frames.codec import encode
from kiro_core.frames.frame import Frame
from kiro_core.frames.head import Head

UPDATE = "session/update"


class Run(Sequence[Frame]):
    """One or more updates of one session, each a strict `session/update` without an id, as one block of lines.

    `read` proves that they are. Each line is `opening`, the id of the session, one of `rests`, and a brace. Whoever
    iterates or indexes gets `Frame`s, which are built then.
    """

    __slots__ = ("_block", "_frames", "opening", "rests", "session")

    session: str
    opening: bytes
    rests: Sequence[bytes]

    def __init__(self, opening: bytes, session: str, rests: Sequence[bytes]) -> None:
        """Hold the parts of lines that were looked at."""
        self.opening = opening
        self.session = session
        self.rests = rests
        self._block: bytes | None = None
        self._frames: list[Frame] | None = None

    @staticmethod
    def joined(runs: Sequence[Run]) -> Run:
        """Runs of one session with the same opening, of which there is one at least, as one."""
        first = runs[0]
        return first if len(runs) == 1 else Run(first.opening, first.session, list(chain(*(run.rests for run in runs))))

    @property
    def block(self) -> bytes:
        """Every line with its newline."""
        if self._block is None:
            head = self._head
            self._block = b"%b%b}\n" % (head, (b"}\n" + head).join(self.rests))
        return self._block

    @property
    def size(self) -> int:
        """That of the block, in bytes."""
        return sum(map(len, self.rests)) + len(self.rests) * (len(self._head) + len(b"}\n"))

    def between(self, before: bytes, after: bytes) -> list[bytes]:
        """Every line, without its newline, between other bytes."""
        before, after = before + self._head, b"}" + after
        return [b"%b%b%b" % (before, rest, after) for rest in self.rests]  # one copy, of whatever size

    def with_session(self, session: str) -> Run:
        """The same updates under another session id; every other byte stays as it is."""
        return self if session == self.session else Run(self.opening, session, self.rests)

    def __len__(self) -> int:
        """How many updates there are."""
        return len(self.rests)

    def __iter__(self) -> Iterator[Frame]:
        """Each as a message."""
        return iter(self._built())

    @overload
    def __getitem__(self, index: int) -> Frame: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Frame]: ...

    def __getitem__(self, index: int | slice) -> Frame | Sequence[Frame]:
        """One or some of them as messages."""
        return self._built()[index]

    @property
    def _head(self) -> bytes:
        return self.opening + encode(self.session)

    def _built(self) -> list[Frame]:
        if self._frames is None:
            head = Head(UPDATE, session=self.session)
            self._frames = [Frame(line, head) for line in self.between(b"", b"")]
        return self._frames
