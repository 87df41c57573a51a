"""Letters in words for an agent, and in frames: what others wrote is quoted, so that it passes for nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kiro_core.frames import Frame
from kiro_core.messages import MARK
from kiro_core.session.updates import printable
from kiro_core.types import Letter, SessionId

_QUOTED = 'Lines that begin with ">" are theirs, word for word.'
_ANSWER = "Answer with the command `send_message` of the tool `session_management`, where you have it."
_AGAIN = "You may have been told this before, with or in a turn that did not end well."
_NOTIFICATION = "_kiro.dev/session/inbox_notification"


def prompt_of(session: SessionId, letters: Sequence[Letter]) -> Frame:
    """The prompt of a turn that these letters begin."""
    names = ", ".join(dict.fromkeys(_name(letter) for letter in letters))
    head = f"{len(letters)} message{'s' if len(letters) > 1 else ''} came from {names}. {_QUOTED}"
    text = "\n\n".join([head, *map(told, letters), *_answer(letters)])
    ours = {"messages": [letter.id for letter in letters], "hops": max(letter.hops for letter in letters)}
    params = {"sessionId": session, "prompt": [{"type": "text", "text": text}], "_meta": {MARK: ours}}
    return Frame.of("session/prompt", params, id=0)


def in_front(letters: Sequence[Letter], again: Sequence[str]) -> str:
    """What stands in front of a prompt: letters, and the texts of some that may have been told before."""
    parts = [_AGAIN, *again] if again else []
    if letters:
        parts += [f"Messages came for you. {_QUOTED}", *map(told, letters), *_answer(letters)]
    return "\n\n".join(parts)


def told(letter: Letter) -> str:
    """One letter."""
    about = letter.about
    match letter.kind:
        case "result":
            head = f"What became of the task of {_of(letter)}: {printable(str(about.get('outcome', 'it ended')))}."
        case "context":
            head = f"To be known, from {_of(letter)}:"
        case "expired":
            head = f"Nobody has read a message of yours, to {_of(letter)}:"
        case "escalation":
            head = f"Urgent, from {_of(letter)}:"
        case _:
            head = f"From {_of(letter)}:"
    return "\n".join([head, *(f"> {line}" for line in letter.text.splitlines())])


def notification(session: SessionId, name: str, unread: Mapping[str, Any]) -> Frame:
    """What clients are told when something has come; `unread` is `{messages, escalations, senders}`."""
    params = {
        "sessionId": session,
        "sessionName": name,
        "messageCount": unread.get("messages"),
        "escalationCount": unread.get("escalations"),
        "senders": unread.get("senders"),
    }
    return Frame.of(_NOTIFICATION, params)


def counted(letters: Sequence[Letter]) -> dict[str, Any]:
    """What is unread, for such a notification and for the record."""
    return {
        "messages": len(letters),
        "escalations": sum(letter.kind == "escalation" for letter in letters),
        "senders": list(dict.fromkeys(_name(letter) for letter in letters)),
    }


def _name(letter: Letter) -> str:
    return printable(letter.name or letter.sender) or "a person"


def _of(letter: Letter) -> str:
    return f"{_name(letter)} (session {printable(letter.sender)})" if letter.sender else _name(letter)


def _answer(letters: Sequence[Letter]) -> Sequence[str]:
    return [_ANSWER] if any(letter.sender and letter.kind in ("message", "escalation") for letter in letters) else []
