"""What hosts are shown of the past, all immutable; times are RFC 3339 in UTC with a Z."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a conversation; `role` is "user" or "assistant".

    `status` is "" but for the last message of a turn that did not come to a good end: "failed" or "cancelled".
    """

    role: str
    content: str
    timestamp: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """The newest messages of a session, the oldest of them first."""

    session_id: str
    messages: Sequence[Said]


@dataclass(frozen=True, slots=True)
class Hit:
    """A session that was found; `where` is "id", "title", "name", "tag", "folder", "user" or "assistant".

    `excerpt` is what it was found in. `is_open` tells that it is open here.
    """

    session_id: str
    title: str
    name: str
    working_directory: str
    updated_at: str
    is_open: bool
    where: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, the newest session first; not `complete` when there may be more."""

    hits: Sequence[Hit]
    complete: bool


Item = Mapping[str, Any]
"""One entry of a transcript: `{seq, kind, at, turn, text, details}` as `kiro_core.types.Told` has them."""
