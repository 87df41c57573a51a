"""Tell records from damage, so that one bad byte never costs more than the line in which it stands.

Numbers are consecutive and epochs never fall: a line that continues the one before is believed at
once. One that jumps is believed when the next line goes on from it, since a digit may be what is
damaged; one that falls back is damage. Whoever reads, opens, checks or mends a log uses this one rule.
"""

from __future__ import annotations

from kiro_core.errors import RecordInvalid
from kiro_files.lines import Line, decode, is_newer
from kiro_files.places import Bad, Hole, Place


class Scan:
    """Put lines in from a place on; take out what is settled.

    `found` holds the lines of whole batches, and holes, in order; `place` is the boundary behind them.
    What comes behind that is unfinished, or torn.
    """

    __slots__ = ("_bad", "_batch", "_blank", "_doubted", "_epoch", "_later", "_next", "_until", "found", "place")

    def __init__(self, place: Place) -> None:
        """Begin at a place; where the next number is unknown, two consecutive lines tell it."""
        self.place = place
        self.found: list[Line | Hole] = []
        _, self._next, self._epoch = place
        self._batch: list[Line | Hole] = []
        self._until = 0
        self._bad: Bad | None = None
        self._doubted: tuple[Line, int, int] | None = None
        self._later: Bad | None = None  # damage behind the doubted line
        self._blank = 0  # where blanks end that stand behind what is not settled

    def feed(self, block: bytes, base: int, start: int = 0) -> None:
        """Put in the whole lines of a block that stands at the offset `base`, from its byte `start` on.

        Raises:
            RecordInvalid: there are records of a newer format.

        """
        while (newline := block.find(b"\n", start)) >= 0:
            text = block[start:newline]
            line = decode(text)
            if line is None:
                self._refuse(text, base + start, base + newline + 1)
            elif self._continues(line):
                self._next += 1
                self._batch.append(line)
                self._until, self._blank = line.until, 0
                if line.seq == line.until:
                    self._settle(base + newline + 1)
            else:
                self._weigh(line, base + start, base + newline + 1)
            start = newline + 1

    def finish(self) -> None:
        """Settle what can be, since the log ends here: a damaged end is a hole, a batch without its end is torn.

        Raises:
            RecordInvalid: the last record is of a newer format. In front of one of ours it is damage,
                since this version never writes behind a newer one.

        """
        if self._doubted is not None:
            self._take(*self._doubted)
        bad = self._bad
        if bad is not None and bad.newer:
            raise _newer()
        if bad is None and self._blank > self.place.offset and self._batch:
            # The rest of a batch was blanked: it is lost, and not torn.
            bad = Bad(self._blank, self._blank, 0)
        if bad is not None and self._next:
            # As many records as lines at least, and all that the batch announced: no number is given away twice.
            last = max(self._next + bad.lines - 1, self._until)
            self._batch.append(Hole(bad.start, bad.end, self._next, last, max(self._epoch, 1)))
            self._next, self._bad = last + 1, None
            self._settle(bad.end)

    def _continues(self, line: Line) -> bool:
        """Whether it is what nearly all lines are: the next one, of the same owner, behind nothing doubtful."""
        return (
            line.seq == self._next
            and line.epoch == self._epoch
            and self._bad is None
            and self._doubted is None
            and self._until in (0, line.until)
            and line.reach == line.seq
        )

    def _weigh(self, line: Line, start: int, end: int) -> None:
        if self._doubted is not None and not self._judge(*self._doubted, line):
            self._damaged(Bad(start, end))
            return
        if line.seq < self._next or line.epoch < self._epoch:
            self._damaged(Bad(start, end))
        elif line.seq == self._next and line.epoch == self._epoch and line.reach == line.seq:
            self._take(line, start, end)
        else:
            self._doubted = line, start, end

    def _judge(self, doubted: Line, start: int, end: int, line: Line) -> bool:
        """Decide about the doubted line by the next one; False when that is the one that is damaged."""
        goes_on = line.seq > doubted.reach if self._next else line.seq == doubted.reach + 1
        if goes_on and line.epoch >= doubted.epoch:
            self._take(doubted, start, end)
            return True
        if line.seq < self._next or line.epoch < self._epoch:
            return False
        bad = Bad(start, end).joined(self._later)
        self._doubted = self._later = None
        self._damaged(bad)
        return True

    def _take(self, line: Line, start: int, end: int) -> None:
        bad, expected = self._bad, self._next
        self._bad, self._doubted, self._later = self._later, None, None
        if expected and (bad is not None or line.seq > expected):
            since, until = (bad.start, bad.end) if bad is not None else (start, start)
            self._batch.append(Hole(since, until, expected, line.seq - 1, self._epoch or line.epoch))
        self._next = line.seq
        if expected and self._until != line.until:
            # Another batch: of the one before, if it was not whole, the end is lost and told.
            self._settle(start)
        self._batch.append(line)
        self._blank = 0
        self._next, self._epoch, self._until = line.reach + 1, line.epoch, line.until
        if line.reach == line.until:
            self._settle(end)

    def _refuse(self, text: bytes, start: int, end: int) -> None:
        if text.strip(b" \t\r"):
            self._damaged(Bad(start, end, newer=is_newer(text)))
        elif not self._batch and self._bad is None and self._doubted is None:
            self.place = self.place._replace(offset=end)
        else:
            self._blank = end

    def _damaged(self, bad: Bad) -> None:
        if self._doubted is not None:
            self._later = bad = self._later.joined(bad) if self._later else bad
        else:
            self._bad = bad = self._bad.joined(bad) if self._bad else bad
        if bad.newer > 1:
            raise _newer()

    def _settle(self, offset: int) -> None:
        self.found += self._batch
        self._batch.clear()
        self._until = 0
        self.place = Place(offset, self._next, self._epoch)


def _newer() -> RecordInvalid:
    return RecordInvalid(
        "The session's log has records of a newer format than this version reads.", hint="Update kiro-core."
    )
