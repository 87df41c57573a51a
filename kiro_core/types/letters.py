"""What sessions write to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

LETTER_CHARACTERS = 16_000
"""How long the text of a letter may be."""

LetterKind = Literal["message", "escalation", "result", "context", "expired"]
"""What a letter is for; see `Letter`."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in a session's inbox, as the one function that reads its body gives it.

    `id` is its sender's choice and unique in the inbox, `at` is when it came (RFC 3339 in UTC). `sender` is the session
    that sent it, empty for a person, and `name` what that one is called.

    `kind` is "message"; "escalation" (a person is to know); "result" (what became of a member's task; `about` is
    `{session, name, outcome, ...}`); "context" (to be known with the next prompt: it wakes nobody); or "expired" (a
    letter of this session's that nobody read; `about` is `{session, id, kind}`).

    `hops` counts the letters that led to it: that of a turn which a letter began is that letter's, and one more of what
    is sent from there.
    """

    id: str
    at: str = ""
    sender: str = ""
    name: str = ""
    kind: LetterKind = "message"
    text: str = ""
    hops: int = 0
    about: Mapping[str, Any] = field(default_factory=dict)
