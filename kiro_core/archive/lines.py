"""A record as one line of an archive, which is checked by one rule on the way out and on the way in."""

from __future__ import annotations

from typing import Annotated

import msgspec

from kiro_core.types import Record

LONGEST_LINE = 256 * 2**20
"""Bytes. A message may have 64 MiB, and is a third longer where it had to be encoded."""

_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class _Line(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    seq: _Count
    epoch: _Count
    body: msgspec.Raw


_line = msgspec.json.Decoder(_Line).decode


def encode_line(record: Record) -> bytes:
    """`{"seq":N,"epoch":E,"body":{...}}` and a newline, with the body as it is.

    Raises:
        ValueError: the body is not one strict JSON object on one line.

    """
    line = b'{"seq":%d,"epoch":%d,"body":%b}\n' % (record.seq, record.epoch, record.body)
    decode_line(line)
    return line


def decode_line(line: bytes) -> Record:
    """The record in a line that ends with a newline.

    Raises:
        ValueError: it is not one, or its body is not one strict JSON object; the message says why.

    """
    try:
        line.decode()
        found = _line(line)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from error
    body = bytes(found.body)
    if body[:1] != b"{" or line.find(b"\n") != len(line) - 1 or len(line) > LONGEST_LINE:
        raise ValueError(f"its body is not one object on one line of at most {LONGEST_LINE} bytes")
    return Record(found.seq, found.epoch, body)
