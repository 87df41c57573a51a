"""The body of a record: when, which kind, and a payload that cannot forge another record.

```json
{"at": "2026-01-31T08:00:00.123Z", "kind": "update", "turn": "3.1", "data": {...}}
```

A message is embedded as it was received, or as a middleware gave it, when it is one strict JSON
object, else as `raw_b64`, so that a log is always strict JSON. What each kind is and has: docs/records.md.

Unknown kinds are kept and skipped.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import msgspec

from kiro_core.errors import RecordInvalid
from kiro_core.frames import Frame, Run, decode, encode
from kiro_core.types import Record


class Entry(msgspec.Struct, frozen=True):
    """A decoded body; `data` is JSON text, or empty when the payload is `raw_b64` (base64 in the record)."""

    at: str
    kind: str
    turn: str = ""
    data: msgspec.Raw = msgspec.Raw()
    raw_b64: bytes = b""

    @property
    def value(self) -> Any:
        """The payload decoded; None where there is none."""
        return decode(bytes(self.data)) if bytes(self.data) else None

    @property
    def frame(self) -> Frame:
        """The message that the payload holds, byte for byte as it was received."""
        return Frame.read(self.raw_b64 or bytes(self.data))


_decode = msgspec.json.Decoder(Entry).decode


def entry(record: Record) -> Entry:
    """Read the body of a record.

    Raises:
        RecordInvalid: it is not the body of a record.

    """
    try:
        return _decode(record.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RecordInvalid(f"Record {record.seq} cannot be read: {error}.") from error


def readable(record: Record) -> Entry | None:
    """The same; None for a body that is none of ours, which keeps no session shut."""
    try:
        return entry(record)
    except RecordInvalid:
        return None


def opening(at: str, kind: str, turn: str = "") -> bytes:
    """Everything of a body in front of its payload; `at`, `kind` and `turn` are ours and need no escapes."""
    head = f'{{"at":"{at}","kind":"{kind}",'
    return (f'{head}"turn":"{turn}",' if turn else head).encode()


def said(at: str, frames: Sequence[Frame]) -> list[bytes]:
    """The bodies of notifications of an agent as they came; a line that is none is on record as noise."""
    if isinstance(frames, Run):
        return frames.between(opening(at, "update") + b'"data":', b"}")
    update, noise = opening(at, "update"), opening(at, "noise")
    return [embedded(noise if frame.fault else update, frame) for frame in frames]


def embedded(before: bytes, frame: Frame) -> bytes:
    """The body of a message, behind its opening; copied once, since it may be large."""
    if frame.strict:
        return b'%b"data":%b}' % (before, frame.raw)
    return b'%b"raw_b64":"%b"}' % (before, b64encode(frame.raw))


def value(data: Any) -> bytes:
    """The rest of a body for a value of ours."""
    return b'"data":%b}' % encode(data)
