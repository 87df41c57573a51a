"""Write and read one line of a log: a record in an envelope that tells where its batch ends.

`{"format":1,"seq":N,"epoch":E,"until":M,"body":{...}}` where M is the `seq` of the last record of
the same batch. A log whose last line has not reached its `until` was torn, and the whole batch goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from kiro_core.errors import RecordInvalid
from kiro_core.types import FORMAT

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_Count = Annotated[int, msgspec.Meta(ge=1, lt=2**62)]


class Line(msgspec.Struct, gc=False):
    """One record with its envelope; `body` is JSON text as it was appended."""

    format: int
    seq: _Count
    epoch: _Count
    until: _Count
    body: msgspec.Raw


class _Format(msgspec.Struct):
    format: int


_line = msgspec.json.Decoder(Line).decode
_format = msgspec.json.Decoder(_Format).decode


def encode(batch: Sequence[bytes], head: int, epoch: int) -> bytes:
    """The lines of a batch behind the record `head`, with the bodies as they are.

    Raises:
        ValueError: a body is not one line that looks like a JSON object.

    """
    for body in batch:
        if body[:1] != b"{" or body[-1:] != b"}":
            raise ValueError("A record's body is one JSON object.")
    if b"\n" in b"".join(batch):
        raise ValueError("A record's body is one line.")
    # One template for all lines: formatting once takes a fifth of the time, and this is the log's hot path.
    count = len(batch)
    line = b'{"format":%d,"seq":%%d,"epoch":%d,"until":%d,"body":%%b}\n' % (FORMAT, epoch, head + count)
    values: list[int | bytes] = [0] * (2 * count)
    values[::2], values[1::2] = range(head + 1, head + count + 1), batch
    return line * count % tuple(values)


def decode(line: bytes) -> Line | None:
    """Read one line (without its newline); None when it is damaged.

    Raises:
        RecordInvalid: it has a newer format than this program knows.

    """
    try:
        record = _line(line)
    except _UNREADABLE:
        record = None
    if (record.format if record else _format_of(line)) > FORMAT:
        raise RecordInvalid(
            "The session's log has records of a newer format than this version reads.", hint="Update kiro-core."
        )
    return record


def _format_of(line: bytes) -> int:
    try:
        return _format(line).format
    except _UNREADABLE:
        return 0
