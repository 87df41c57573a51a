"""Directives that run tools: ones that do nothing, edits, and commands in the client's terminals."""

from __future__ import annotations

import json
import os
import shlex
from typing import Any

from kiro_core.rehearsal import plain
from kiro_core.rehearsal.services import granted
from kiro_core.rehearsal.turn import Cancelled, Stopped, Turn, Unserved


def tool(turn: Turn, title: str) -> None:
    """`/tool [TITLE]`: run a tool that does nothing, without asking; in place of a title JSON, as for /permission."""
    call = _call(turn, title)
    turn.profile.announce(turn, call)
    turn.profile.finish(turn, call, "completed")


def permission(turn: Turn, title: str) -> None:
    """`/permission [TITLE | JSON]`: ask before a tool call that does nothing, and tell the outcome.

    JSON holds fields of the call, such as {"title": "shell", "kind": "execute", "rawInput": {"command": "make"}}.
    """
    if turn.profile.asks == "never" or turn.session.chosen.get("mode") in turn.profile.unguarded:
        tool(turn, title)
        turn.say("Permission: never asked. ")
        return
    call = _call(turn, title)
    asked = call
    if turn.profile.asks == "announced":
        turn.profile.announce(turn, call)
    else:
        asked = {**call, "status": "pending", "content": [], "locations": []}
    options = [{"optionId": option, "name": option, "kind": kind} for option, kind in turn.profile.replies]
    response = turn.ask("session/request_permission", {"toolCall": asked, "options": options})
    kind = _outcome(response, dict(turn.profile.replies))
    turn.say(f"Permission: {kind}. ")
    turn.profile.finish(turn, call, "completed" if kind.startswith("allow") else "failed")
    if kind == "reject_once" and turn.profile.after_no:
        raise Stopped(turn.profile.after_no)


def _call(turn: Turn, described: str) -> dict[str, Any]:
    """A tool call with that title, or with the fields of that JSON object."""
    if not described.startswith("{"):
        return turn.call(described or "Do nothing", turn.profile.tool_kind)
    fields = json.loads(described)
    return {**turn.call("Do nothing", turn.profile.tool_kind), **fields}


def diff(turn: Turn, path: str) -> None:
    """`/diff PATH`: a tool call that shows an edit of this file; nothing is written."""
    where = os.path.join(turn.session.cwd, path.strip())  # noqa: PTH118 - pathlib is slow to import
    call = turn.call(f"Edit {path.strip()}", "edit")
    edit = {"type": "diff", "path": where, "oldText": "old\n", "newText": "new\n"}
    turn.update({"sessionUpdate": "tool_call", **call, "status": "pending", "locations": [{"path": where, "line": 1}]})
    done = {"toolCallId": call["toolCallId"], "status": "completed", "content": [edit]}
    turn.update({"sessionUpdate": "tool_call_update", **done})


def run(turn: Turn, command: str) -> None:
    """`/run COMMAND [ARGUMENT...]`: run it in a terminal of the client; say its output and how it ended."""
    _run(turn, shlex.split(command))


def run_limit(turn: Turn, rest: str) -> None:
    """`/run-limit BYTES COMMAND [ARGUMENT...]`: the same, with at most so much output kept."""
    limit, *argv = shlex.split(rest)
    _run(turn, argv, limit=int(limit))


def run_kill(turn: Turn, command: str) -> None:
    """`/run-kill COMMAND [ARGUMENT...]`: the same, but it is killed as soon as it runs."""
    _run(turn, shlex.split(command), kill=True)


def run_forget(turn: Turn, command: str) -> None:
    """`/run-forget COMMAND [ARGUMENT...]`: start it in a terminal that is never waited for nor released."""
    turn.say(f"Terminal: {_create(turn, shlex.split(command))}. ")


def _run(turn: Turn, argv: list[str], *, limit: int | None = None, kill: bool = False) -> None:
    terminal = {"terminalId": _create(turn, argv, limit=limit)}
    call = turn.call(shlex.join(argv), "execute")
    shown = [{"type": "terminal", **terminal}]
    try:
        turn.update({"sessionUpdate": "tool_call", **call, "status": "in_progress", "content": shown})
        if kill:
            granted(turn, "terminal/kill", terminal)
        ended = granted(turn, "terminal/wait_for_exit", terminal)
        output = granted(turn, "terminal/output", terminal)
        granted(turn, "terminal/release", terminal)
    except Cancelled:
        turn.leave("terminal/release", terminal)
        raise
    except Unserved:
        plain.finish(turn, call, "failed")
        raise
    plain.finish(turn, call, "completed" if ended.get("exitCode") == 0 else "failed")
    turn.say(str(output.get("output")))
    turn.say(f"Exit: {_ending(ended)}{', output truncated' if output.get('truncated') else ''}. ")


def _create(turn: Turn, argv: list[str], *, limit: int | None = None) -> str:
    turn.need("terminal")
    command, *arguments = argv
    params = {"command": command, "args": arguments, "cwd": turn.session.cwd}
    bounded = params if limit is None else {**params, "outputByteLimit": limit}
    return str(granted(turn, "terminal/create", bounded).get("terminalId"))


def _ending(ended: dict[str, Any]) -> str:
    return str(ended.get("signal") if ended.get("exitCode") is None else ended["exitCode"])


def _outcome(response: dict[str, Any], kinds: dict[str, str]) -> str:
    outcome = (response.get("result") or {}).get("outcome") or {}
    if outcome.get("outcome") == "cancelled":
        raise Cancelled
    return kinds.get(str(outcome.get("optionId")), "no usable answer")
