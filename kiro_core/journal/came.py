"""Tells a letter that came from one that is still unread: each life of a session records it anew."""

from __future__ import annotations

from kiro_core.journal.entries import Entry


class Came:
    """The letters that a reading of a record has met."""

    def __init__(self) -> None:
        """Begin with none."""
        self._ids: set[str] = set()

    def is_new(self, entry: Entry) -> bool:
        """Whether a record `message` has a letter that was not met yet; one without an id always is."""
        value = entry.value
        name = value.get("id") if isinstance(value, dict) else None
        if not isinstance(name, str):
            return True
        if name in self._ids:
            return False
        self._ids.add(name)
        return True
