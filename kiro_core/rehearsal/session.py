"""One conversation: what the client chose for it, what was said, and the turn that runs."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kiro_core.rehearsal.turn import Turn

MODELS = ("rehearsal-1", "rehearsal-2")


class Session:
    """A session.

    `history` holds the updates that a replay repeats, or None where nothing is kept; `numbers` makes
    the ids of messages and tool calls; `turn` is the one that runs.
    """

    def __init__(self, id: str, model: str, mode: str, history: list[dict[str, Any]] | None) -> None:  # noqa: A002 - the protocol's word
        """Continue behind what is in the history."""
        self.id = id
        self.model = model
        self.mode = mode
        self.history = history
        self.numbers = itertools.count(len(history or ()) + 1)
        self.turn: Turn | None = None

    def remember(self, *updates: dict[str, Any]) -> None:
        """Keep updates, where anything is kept."""
        if self.history is not None:
            self.history += updates

    def choices(self, modes: list[str], *, models: bool) -> dict[str, Any]:
        """What the client can choose and has chosen, as `session/new` answers it."""
        offered: dict[str, Any] = {}
        if modes:
            available = [{"id": mode, "name": mode} for mode in modes]
            offered["modes"] = {"currentModeId": self.mode, "availableModes": available}
        if models:
            options = [{"value": model, "name": model} for model in MODELS]
            fixed = {"id": "model", "name": "Model", "category": "model", "type": "select"}
            offered["configOptions"] = [{**fixed, "currentValue": self.model, "options": options}]
        return offered
