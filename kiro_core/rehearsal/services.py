"""Directives that ask the client for its services: files, forms, addresses, and any request at all."""

from __future__ import annotations

import json
import os
import shlex
from typing import Any

from kiro_core.rehearsal.turn import Turn, Unserved

_FORM = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "title": "Name"},
        "count": {"type": "integer", "title": "Count", "minimum": 0},
        "sure": {"type": "boolean", "title": "Sure", "default": False},
        "size": {"type": "string", "title": "Size", "enum": ["small", "large"]},
    },
    "required": ["name"],
}


def granted(turn: Turn, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """The result of a request to the client.

    Raises:
        Unserved: the client answered with an error.

    """
    response = turn.ask(method, params)
    if "error" in response:
        error = response["error"]
        raise Unserved(f"{method} failed: {error.get('code')} {error.get('message')}")
    return response.get("result") or {}


def read(turn: Turn, rest: str) -> None:
    """`/read PATH [LINE [LIMIT]]`: say what the client reads from this file."""
    path, *numbers = shlex.split(rest)
    turn.need("fs", "readTextFile")
    part = dict(zip(("line", "limit"), map(int, numbers), strict=False))
    turn.say(str(granted(turn, "fs/read_text_file", {"path": _absolute(turn, path), **part}).get("content")))


def write(turn: Turn, rest: str) -> None:
    r"""`/write PATH TEXT`: have the client write this text to this file, each \n as a new line."""
    path, text = rest.strip().partition(" ")[::2]
    turn.need("fs", "writeTextFile")
    content = text.replace("\\n", "\n")
    granted(turn, "fs/write_text_file", {"path": _absolute(turn, path), "content": content})
    turn.say(f"Wrote {path}. ")


def ask_form(turn: Turn, message: str) -> None:
    """`/ask-form [MESSAGE]`: put a form of four fields to the person, and say the answer as JSON."""
    turn.need("elicitation", "form")
    params = {"mode": "form", "message": message or "Who are you?", "requestedSchema": _FORM}
    turn.say(json.dumps(granted(turn, "elicitation/create", params)))


def ask_url(turn: Turn, url: str) -> None:
    """`/ask-url [URL]`: send the person to this address, say the answer as JSON, and tell that it is complete."""
    turn.need("elicitation", "url")
    elicitation = f"elicitation-{next(turn.session.numbers)}"
    address = {"elicitationId": elicitation, "url": url.strip() or "https://example.com/login"}
    answer = granted(turn, "elicitation/create", {"mode": "url", "message": "Look there.", **address})
    turn.say(json.dumps(answer))
    if answer.get("action") == "accept":
        turn.wire.notify("elicitation/complete", {"elicitationId": elicitation})


def request(turn: Turn, rest: str) -> None:
    """`/request METHOD [JSON]`: ask the client this; say its result or error as JSON.

    The session's id is added to the params, unless they name one; null stands for none.
    """
    method, params = _method(rest)
    response = turn.ask(method, params)
    turn.say(json.dumps({name: response[name] for name in ("result", "error") if name in response}))


def notify(turn: Turn, rest: str) -> None:
    """`/notify METHOD [JSON]`: tell the client this; the session's id is added as for /request."""
    method, params = _method(rest)
    turn.wire.notify(method, turn.addressed(params))


def _method(rest: str) -> tuple[str, Any]:
    method, params = rest.strip().partition(" ")[::2]
    if not method:
        raise ValueError(rest)
    return method, json.loads(params or "{}")


def _absolute(turn: Turn, path: str) -> str:
    if not path:
        raise ValueError(path)
    return os.path.join(turn.session.cwd, path)  # noqa: PTH118 - pathlib is slow to import
