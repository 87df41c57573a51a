"""Directives of an agent that behaves; each docstring is what /help shows."""

from __future__ import annotations

import os
import threading
from typing import Any

from kiro_core.rehearsal.turn import Cancelled, Stopped, Turn
from kiro_core.rehearsal.wire import Fault

_KINDS = {"once": "allow_once", "always": "allow_always", "no": "reject_once"}
_OPTIONS = [{"optionId": option, "name": option, "kind": kind} for option, kind in _KINDS.items()]


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


def tool(turn: Turn, title: str) -> None:
    """`/tool [TITLE]`: run a tool that does nothing, without asking."""
    _finish(turn, _announce(turn, title), "completed")


def permission(turn: Turn, title: str) -> None:
    """`/permission [TITLE]`: ask before a tool call that does nothing, and tell the outcome."""
    call = _announce(turn, title)
    response = turn.ask("session/request_permission", {"toolCall": call, "options": _OPTIONS})
    outcome = (response.get("result") or {}).get("outcome") or {}
    if outcome.get("outcome") == "cancelled":
        raise Cancelled
    kind = _KINDS.get(str(outcome.get("optionId")), "no usable answer")
    turn.say(f"Permission: {kind}. ")
    _finish(turn, call, "completed" if kind.startswith("allow") else "failed")


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


def env(turn: Turn, name: str) -> None:
    """`/env NAME`: say the value of an environment variable."""
    value = os.environ.get(name)
    turn.say(f"{name} is not set. " if value is None else f"{name}={value} ")


def _announce(turn: Turn, title: str) -> dict[str, Any]:
    call = {"toolCallId": f"tool-{next(turn.session.numbers)}", "title": title or "Do nothing", "kind": "other"}
    turn.update({"sessionUpdate": "tool_call", **call, "status": "pending"})
    return call


def _finish(turn: Turn, call: dict[str, Any], status: str) -> None:
    turn.update({"sessionUpdate": "tool_call_update", "toolCallId": call["toolCallId"], "status": status})
