"""Directives of an agent that misbehaves; each docstring is what /help shows."""

from __future__ import annotations

import json
import os
import threading

from kiro_core.rehearsal import lifetime
from kiro_core.rehearsal.turn import Turn

_BURST = 256


def hang(_: Turn, __: str) -> None:
    """`/hang`: never answer, and ignore cancel."""
    threading.Event().wait()


def die(_: Turn, status: str) -> None:
    """`/die STATUS`: end the process at once, after a line on stderr."""
    lifetime.die(int(status), "in a turn")


def ignore_term(_: Turn, __: str) -> None:
    """`/ignore-term`: from now on ignore SIGTERM, and the end of stdin for ten minutes."""
    lifetime.ignore_term()


def flood(turn: Turn, rest: str) -> None:
    """`/flood COUNT [BYTES]`: so many chunks as fast as possible, each with its number, padded to this size."""
    count, size = rest.strip().partition(" ")[::2]
    total, width = int(count), int(size or 0)
    for start in range(0, total, _BURST):
        numbers = range(start, min(start + _BURST, total))
        turn.update(*[turn.chunk(f"{number} ".ljust(width, ".")) for number in numbers])


def big(turn: Turn, size: str) -> None:
    """`/big BYTES`: one chunk of this size."""
    turn.say("x" * int(size))


def stderr(_: Turn, count: str) -> None:
    """`/stderr COUNT`: so many lines on stderr."""
    for number in range(int(count)):
        os.write(2, f"This is line {number} of the rehearsal agent.\n".encode())


def child(turn: Turn, seconds: str) -> None:
    """`/child SECONDS`: leave a child behind that sleeps so long, in a session of its own; say its pid."""
    import subprocess

    nowhere = subprocess.DEVNULL
    left = subprocess.Popen(  # noqa: S603 - a number, and no shell
        ["sleep", str(float(seconds))],  # noqa: S607 - wherever `sleep` is
        stdin=nowhere,
        stdout=nowhere,
        stderr=nowhere,
        start_new_session=True,
    )
    turn.say(f"Child: {left.pid}. ")


def batch(turn: Turn, text: str) -> None:
    """`/batch [TEXT]`: say this in two updates that are one JSON array, in one line."""
    params = {"sessionId": turn.session.id, "update": turn.chunk(text or "batch")}
    message = {"jsonrpc": "2.0", "method": "session/update", "params": params}
    turn.wire.write(json.dumps([message, message]).encode() + b"\n")


def raw(turn: Turn, text: str) -> None:
    r"""`/raw TEXT`: write this to stdout as a line, whatever it is; \udc80 to \udcff become single bytes."""
    turn.wire.write(text.encode("utf-8", "surrogateescape") + b"\n")
