"""What is said at a desk's socket besides the protocol of agents: names, and the shapes that both sides read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from kiro_core.frames import Frame, encode
from kiro_core.types import Record, SessionId

PROTOCOL = 1
"""The version of this socket's own methods; what is added to them keeps it."""

HELLO = "_kiro_core/hello"
"""`{protocol, version, client: {name, version, abilities, raw}}` -> what `Front.hello` says, and `protocol`."""
STATUS = "_kiro_core/status"
"""`{}` -> what `Front.status` says."""
RELEASE = "_kiro_core/release"
"""`{sessionId, force}` -> `{}`: let go of one session."""
WATCH = "_kiro_core/watch"
"""`{sessionId, after}` -> `{}` when the session has ended; `RECORDS` come before, `$/cancel_request` ends it."""
RECORDS = "_kiro_core/records"
"""A notification: `{sessionId, records: [{seq, epoch, body}]}`."""
RELABEL = "_kiro_core/relabel"
"""`{sessionId, title?, name?, tags?}` -> the session's metadata."""
DELETE = "_kiro_core/delete"
"""`{sessionId}` -> `{}`: end a session and remove its record."""
WAKE = "_kiro_core/wake"
"""`{sessionId}` -> `{}`: something was put into the inbox of a session."""
CREW = "_kiro_core/crew"
"""`{token}` as the first line of a connection -> `{}`; what follows is MCP, not this protocol: see `Front.enter`."""
STOP = "_kiro_core/stop"
"""`{}` -> what `ControlVerbs.stop` says."""
RELOAD = "_kiro_core/reload"
"""`{}` -> what `ControlVerbs.reload` says."""


class _Entry(msgspec.Struct):
    seq: int
    epoch: int
    body: msgspec.Raw


class _Entries(msgspec.Struct):
    records: list[_Entry]


_decode = msgspec.json.Decoder(_Entries).decode


def records_frame(session: SessionId, records: Iterable[Record]) -> Frame:
    """A `RECORDS` notification, with each body byte for byte."""
    entries = [_Entry(record.seq, record.epoch, msgspec.Raw(record.body)) for record in records]
    return Frame.read(
        b'{"jsonrpc":"2.0","method":"%b","params":{"sessionId":%b,"records":%b}}'
        % (RECORDS.encode(), encode(session), encode(entries))
    )


def records_of(frame: Frame) -> Sequence[Record]:
    """The records of such a notification; none when it is not as it should be."""
    try:
        entries = _decode(frame.text_at("params") or b"").records
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    return [Record(entry.seq, entry.epoch, bytes(entry.body)) for entry in entries]
