"""Read many lines in one go where a log is as it was written, which nearly every part of it is.

A parser of many lines takes an object that spans two, and two objects on one. So a block counts as usual only when it
is, byte for byte, what whole batches of one owner look like that hold the bodies which were found in it. Anything
else, damage above all, is for `scanning` to judge line by line; where both can read, they read the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter, itemgetter
from typing import NamedTuple

import msgspec

from kiro_core.types import FORMAT, Record
from kiro_files.lines import UNREADABLE, decode
from kiro_files.places import Place


class Part(NamedTuple):
    """Records of whole batches, in order, and the boundary behind them."""

    records: Sequence[Record]
    place: Place


class _Line(msgspec.Struct, gc=False):
    until: int
    body: msgspec.Raw


_lines = msgspec.json.Decoder(_Line).decode_lines
_body, _first_byte = attrgetter("body"), itemgetter(0)
_LINE = b'{"format":%d,"seq":%%d,"epoch":%d,"until":%%d,"body":%%b}\n'
_OPENED = set(b"{")


def usual_part(block: bytes, place: Place) -> Part | None:
    """The whole batches with which a block begins that stands at a place; None where it is not as usual, or has none.

    Where the number at that place is not known, or the owner was another one, two lines have to agree about it.
    """
    first = decode(block[: max(block.find(b"\n"), 0)])
    if first is None or place.next not in (0, first.seq) or first.epoch < place.epoch:
        return None
    try:
        lines = _lines(memoryview(block)[: block.rfind(b"\n") + 1])
    except UNREADABLE:
        return None
    untils = _untils(lines, first.seq)
    if len(untils) < 2 and not (place.next and place.epoch == first.epoch):
        return None
    bodies = list(map(bytes, map(_body, lines[: len(untils)])))
    following = first.seq + len(bodies)
    seqs = range(first.seq, following)
    size = _proven(block, seqs, first.epoch, untils, bodies)
    if not size:
        return None
    return Part(
        list(map(Record, seqs, repeat(first.epoch), bodies)), Place(place.offset + size, following, first.epoch)
    )


def _untils(lines: Sequence[_Line], first: int) -> list[int]:
    """What each line of whole batches has to say, if the first one of each batch is right."""
    untils: list[int] = []
    while (done := len(untils)) < len(lines):
        until = lines[done].until
        count = until - first - done + 1
        if not 0 < count <= len(lines) - done:
            break  # its end comes later, or never
        untils += [until] * count
    return untils


def _proven(block: bytes, seqs: range, epoch: int, untils: Sequence[int], bodies: Sequence[bytes]) -> int:
    """How many bytes of the block are these lines, as they are written; 0 where it does not begin with them."""
    values: list[int | bytes] = [0] * (3 * len(bodies))
    values[::3], values[1::3], values[2::3] = seqs, untils, bodies
    text = _LINE % (FORMAT, epoch) * len(bodies) % tuple(values)
    if not block.startswith(text) or b"\n" in b"".join(bodies) or set(map(_first_byte, bodies)) != _OPENED:
        return 0
    try:
        if not text.isascii():
            text.decode()  # the parser passes over a body without looking at its encoding
    except UnicodeDecodeError:
        return 0
    return len(text)
