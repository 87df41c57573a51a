"""Letters as the bodies of messages: one place writes and reads them, for whoever sends and whoever receives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kiro_core.errors import RecordInvalid
from kiro_core.types import LETTER_CHARACTERS, Letter, LetterKind, Message


class _Body(msgspec.Struct, omit_defaults=True):
    text: str
    kind: LetterKind = "message"
    sender: str = ""
    name: str = ""
    hops: int = 0
    about: dict[str, Any] = {}


_decode = msgspec.json.Decoder(_Body).decode


def body_of(letter: Letter) -> bytes:
    """The body of a message, for `SessionStore.put` under the letter's id; when it came is the store's to say.

    Raises:
        RecordInvalid: the text is longer than `LETTER_CHARACTERS`.

    """
    if len(letter.text) > LETTER_CHARACTERS:
        raise RecordInvalid(
            f"The message has {len(letter.text)} characters, and {LETTER_CHARACTERS} are allowed.",
            hint="Say it in fewer words, or write it to a file and name that.",
            characters=len(letter.text),
            allowed=LETTER_CHARACTERS,
        )
    about = dict(letter.about)
    return msgspec.json.encode(_Body(letter.text, letter.kind, letter.sender, letter.name, letter.hops, about))


def letter_of(message: Message) -> Letter:
    """The letter in a message; a body that is none of ours is one from nobody, with the JSON as its text."""
    try:
        body = _decode(message.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        body = _Body(message.body.decode(errors="replace"))
    text = body.text[:LETTER_CHARACTERS]
    return Letter(message.id, message.at, body.sender, body.name, body.kind, text, max(body.hops, 0), body.about)


def recorded_letter(fields: Mapping[str, Any]) -> Letter | None:
    """The letter in a record that has its fields, and maybe more; None where that is none of ours."""
    try:
        return msgspec.convert(fields, Letter)
    except msgspec.ValidationError:
        return None
