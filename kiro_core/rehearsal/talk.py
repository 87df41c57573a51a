"""Directives of an agent that behaves; each docstring is what /help shows."""

from __future__ import annotations

import threading

from kiro_core.rehearsal.turn import Stopped, Turn
from kiro_core.rehearsal.wire import Fault


def echo(turn: Turn, text: str) -> None:
    """`/echo TEXT`: say exactly this, in one chunk."""
    turn.say(text)


def thought(turn: Turn, text: str) -> None:
    """`/thought TEXT`: think this aloud."""
    turn.update(turn.chunk(text, "agent_thought_chunk"))


def plan(turn: Turn, _: str) -> None:
    """`/plan`: announce a plan of two steps."""
    steps = {"listen": "completed", "repeat": "in_progress"}
    entries = [{"content": content, "priority": "medium", "status": status} for content, status in steps.items()]
    turn.update({"sessionUpdate": "plan", "entries": entries})


def sleep(turn: Turn, seconds: str) -> None:
    """`/sleep SECONDS`: wait; cancel ends it."""
    turn.pause(float(seconds))


def say_later(turn: Turn, rest: str) -> None:
    """`/say-later SECONDS TEXT`: say this after a while, even when the turn has ended by then."""
    seconds, text = rest.partition(" ")[::2]
    params = {"sessionId": turn.session.id, "update": turn.chunk(text)}
    timer = threading.Timer(float(seconds), turn.wire.notify, ("session/update", params))
    timer.daemon = True
    timer.start()


def stop(_: Turn, reason: str) -> None:
    """`/stop REASON`: end the turn with this stop reason, such as refusal."""
    raise Stopped(reason.strip())


def error(_: Turn, rest: str) -> None:
    """`/error NUMBER TEXT`: answer the prompt with a JSON-RPC error."""
    number, text = rest.partition(" ")[::2]
    raise Fault(int(number), text)
