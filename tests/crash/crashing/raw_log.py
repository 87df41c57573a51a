"""Checks a log by its bytes alone, with nothing of the program that wrote it."""

import json
from typing import NamedTuple


class Line(NamedTuple):
    """One record as it stands in the file."""

    seq: int
    epoch: int
    until: int
    body: dict


class Log(NamedTuple):
    """The records of whole batches, and a sentence for everything that is wrong with the file."""

    lines: list
    faults: list


def read_log(path, *, killed=False):
    """Read a log; what a kill tore off at its end is in order where nobody has opened it since."""
    content = path.read_bytes() if path.exists() else b""
    *texts, rest = content.split(b"\n")
    faults = [f"its last line is cut short: {rest[:80]!r}"] if rest and not killed else []
    lines = []
    for number, text in enumerate(texts, 1):
        try:
            lines.append(_line(text))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            faults.append(f"line {number} is no record: {error!r} in {text[:120]!r}")
    whole = _whole(lines)
    if whole < len(lines) and not killed:
        faults.append(f"its last batch is not whole: {lines[whole]}")
    return Log(lines[:whole], faults + _order(lines[:whole]))


def _line(text):
    fields = json.loads(text.decode(), parse_constant=_refuse, object_pairs_hook=_object)
    line = Line(fields["seq"], fields["epoch"], fields["until"], fields["body"])
    numbers = fields["format"] == 1 and all(type(number) is int and number > 0 for number in line[:3])
    if not numbers or not isinstance(line.body, dict):
        raise ValueError("its fields are wrong")
    return line


def _refuse(constant):
    raise ValueError(constant)


def _object(pairs):
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name is there twice")
    return fields


def _whole(lines):
    """How many lines stand in batches that have an end."""
    ends = (index for index in range(len(lines), 0, -1) if lines[index - 1].seq == lines[index - 1].until)
    return next(ends, 0)


def _order(lines):
    faults, before = [], Line(0, 0, 0, {})
    for line in lines:
        if line.seq != before.seq + 1:
            faults.append(f"record {line.seq} follows record {before.seq}")
        if line.epoch < before.epoch:
            faults.append(f"record {line.seq} has epoch {line.epoch} behind epoch {before.epoch}")
        if before.seq != before.until and (line.until, line.epoch) != (before.until, before.epoch):
            faults.append(f"the batch of record {before.seq} is broken off")
        if line.body.get("kind") == "gap":
            faults.append(f"record {line.seq} stands for damage, and nothing was damaged")
        before = line
    return faults
