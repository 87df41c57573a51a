"""Write and read one line of a log: a record in an envelope that tells where its batch ends.

`{"format":1,"seq":N,"epoch":E,"until":M,"body":{...}}` where M is the `seq` of the last record of
the same batch. A log whose last line has not reached its `until` was torn, and the whole batch goes.
The last line of a batch that settles messages of the inbox has `"settled":[ID,...]` behind its body.

`{"format":1,"seq":N,"epoch":E,"until":M,"gap":B}` and blanks stand where B damaged bytes stood, and
with them the records N to M.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Annotated

import msgspec

from kiro_core.types import FORMAT, GAP, Record

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What it means for text to be no JSON of the shape that was expected."""

_Count = Annotated[int, msgspec.Meta(ge=1, lt=2**62)]


class Line(msgspec.Struct, gc=False):
    """One record with its envelope; `body` is JSON text as it was appended, empty where there is a `gap`."""

    format: int
    seq: _Count
    epoch: _Count
    until: _Count
    body: msgspec.Raw = msgspec.Raw()
    gap: Annotated[int, msgspec.Meta(ge=0)] = 0
    settled: tuple[str, ...] = ()

    @property
    def reach(self) -> int:
        """The last number that it stands for."""
        return self.until if self.gap else self.seq

    @property
    def record(self) -> Record:
        """The record, or the gap as one."""
        if self.gap:
            return gap_record(self.seq, self.until, self.epoch, self.gap)
        return Record(self.seq, self.epoch, bytes(self.body))


class _Format(msgspec.Struct):
    format: int


_END = b"}\n"
_OPEN, _CLOSE = frozenset(b"{"), frozenset(b"}")
_first, _last = itemgetter(0), itemgetter(-1)
_line = msgspec.json.Decoder(Line).decode
_format = msgspec.json.Decoder(_Format).decode


def encode(batch: Sequence[bytes], head: int, epoch: int, settled: Sequence[str] = ()) -> bytes:
    """The lines of a batch behind the record `head`, with the bodies as they are, that settles these messages.

    Raises:
        ValueError: a body is not one line that looks like a JSON object.

    """
    if b"" in batch or not (_OPEN.issuperset(map(_first, batch)) and _CLOSE.issuperset(map(_last, batch))):
        raise ValueError("A record's body is one JSON object.")
    count = len(batch)
    if b"\n" in (batch[0] if count == 1 else b"".join(batch)):
        raise ValueError("A record's body is one line.")
    end = b',"settled":%b}\n' % msgspec.json.encode(settled) if settled else _END
    before = b'{"format":%d,"seq":%%d,"epoch":%d,"until":%d,"body":' % (FORMAT, epoch, head + count)
    if count == 1:
        return b"".join((before % (head + 1), batch[0], end))
    # One template for all lines: formatting once takes a fifth of the time, and this is the log's hot path.
    values: list[int | bytes] = [0] * (2 * count)
    values[::2], values[1::2] = range(head + 1, head + count + 1), batch
    block = (before + b"%b" + _END) * count % tuple(values)
    return block.removesuffix(_END) + end if settled else block


def encode_gap(first: int, last: int, epoch: int, size: int) -> bytes:
    """A line of `size` bytes in place of as many damaged ones.

    It is blank where no number is missing, or where it would not fit: the numbers around it then
    tell the gap.
    """
    told = b'{"format":%d,"seq":%d,"epoch":%d,"until":%d,"gap":%d}' % (FORMAT, first, epoch, last, size)
    return (told if first <= last and len(told) < size else b"").ljust(size - 1) + b"\n"


def decode(text: bytes) -> Line | None:
    """Read one line (without its newline); None when it is damaged, or of a format that is not ours."""
    try:
        line = _line(text)
        if not text.isascii():
            text.decode()  # the parser passes over a body without looking at its encoding
    except UNREADABLE:
        return None
    whole = line.gap or bytes(line.body)[:1] == b"{"
    return line if whole and line.format == FORMAT and line.until >= line.seq else None


def is_newer(text: bytes) -> bool:
    """Whether a line says that it has a newer format than this program knows."""
    try:
        return _format(text).format > FORMAT
    except UNREADABLE:
        return False


def gap_record(first: int, last: int, epoch: int, size: int) -> Record:
    """What a reader is given for lost records; see `SessionStore.read`."""
    body = b'{"at":"","kind":"%b","data":{"first":%d,"last":%d,"bytes":%d}}' % (GAP.encode(), first, last, size)
    return Record(first, epoch, body)
