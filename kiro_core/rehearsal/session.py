"""One conversation: what the client chose for it, what was said, and the turn that runs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from kiro_core.rehearsal.profile import Choice, Profile

if TYPE_CHECKING:
    from kiro_core.rehearsal.turn import Turn


class Session:
    """A session.

    `params` are those of the request that opened it; `choices` is what can be chosen and `chosen` holds a
    value for each; `history` are the updates that a replay repeats, or None where nothing is kept;
    `numbers` makes the ids of messages and tool calls; `turn` is the one that runs.
    """

    def __init__(self, id: str, profile: Profile, params: dict[str, Any], *, keeps: bool) -> None:  # noqa: A002 - the protocol's word
        """Begin with the first of every choice."""
        self.id = id
        self.profile = profile
        self.params = params
        self.history: list[dict[str, Any]] | None = [] if keeps else None
        self.numbers: Iterator[int] = itertools.count(1)
        self.title: str = ""
        self.updated: str = _now()
        self.turn: Turn | None = None
        found = {choice.id: choice for choice in (*profile.choices, *profile.choices_in(self.cwd))}
        self.choices: tuple[Choice, ...] = tuple(found.values())
        self.chosen: dict[str, str | bool] = {choice.id: choice.first for choice in self.choices}

    @property
    def cwd(self) -> str:
        """The working directory, as the client gave it."""
        return str(self.params.get("cwd") or "/")

    def choice(self, name: Any) -> Choice | None:
        """The choice of that id."""
        return next((choice for choice in self.choices if choice.id == name), None)

    def remember(self, *updates: dict[str, Any]) -> None:
        """Keep updates, where anything is kept; a notice is no part of a conversation."""
        self.updated = _now()
        if self.history is not None:
            self.history += [update for update in updates if update.get("sessionUpdate") != "notice"]

    def info(self) -> dict[str, Any]:
        """What a listing says of it (ACP `SessionInfo`)."""
        said = {"sessionId": self.id, "cwd": self.cwd, "title": self.title or None, "updatedAt": self.updated}
        more = self.params.get("additionalDirectories")
        return {**said, "additionalDirectories": more} if more else said

    def body(self) -> dict[str, Any]:
        """What is kept of it; servers and their secrets are not."""
        return {"format": 1, **self.chosen, "info": self.info(), "history": self.history}

    def restore(self, body: dict[str, Any]) -> None:
        """Go on where the session that had this `body` has ended."""
        self.chosen.update({name: body[name] for name in self.chosen if name in body})
        self.history = body["history"]
        self.title = body["info"]["title"] or ""
        self.updated = body["info"]["updatedAt"]
        self.numbers = itertools.count(len(body["history"]) + 1)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
