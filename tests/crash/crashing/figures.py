"""What a run of the suite has come to: one table for people, one JSON object for programs."""

import json
import os
import statistics
from pathlib import Path

PARTS = {}
"""The figures of each part: names and values, in the order in which they are shown."""

_ORDER = ("locks", "store", "inbox", "desk", "crew")
_SHOWN = 30
_FOUND = {}


def spread(name, seconds):
    """The middle and the far end of a list of durations."""
    if not seconds:
        return {}
    tails = statistics.quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else seconds
    figures = {"median": statistics.median(seconds), "p99": tails[-1], "max": max(seconds)}
    return {f"{name}, {which} (ms)": round(1000 * value, 2) for which, value in figures.items()}


def conclude(part, figures, findings):
    """Keep the figures of a part, and fail if anything was found; each finding tells how to repeat its round."""
    known = {name: value for name, value in figures.items() if value is not None}
    PARTS[part] = {**known, "findings": len(findings)}
    _FOUND[part] = findings
    more = [f"and {len(findings) - _SHOWN} more"] if len(findings) > _SHOWN else []
    assert not findings, "\n".join([*findings[:_SHOWN], *more])


def table():
    """The parts side by side, as lines."""
    parts = {part: PARTS[part] for part in _ORDER if part in PARTS}
    names = dict.fromkeys(name for figures in parts.values() for name in figures)
    rows = [["", *parts], *([name, *(_shown(figures.get(name)) for figures in parts.values())] for name in names)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(_placed(row, widths)).rstrip() for row in rows]


def write():
    """Write them where `CRASH_JSON` says."""
    if path := os.environ.get("CRASH_JSON"):
        parts = {part: {**figures, "findings": _FOUND[part]} for part, figures in PARTS.items()}
        Path(path).write_text(json.dumps(parts, indent=2) + "\n", "utf-8")


def _shown(value):
    return "" if value is None else str(value)


def _placed(row, widths):
    first, *rest = zip(row, widths, strict=True)
    return [first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)]
