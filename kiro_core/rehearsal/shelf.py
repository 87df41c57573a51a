"""Keep conversations as long as the process lives, for an agent that loads them but was given no folder."""

from __future__ import annotations

from typing import Any


class Shelf:
    """The verbs of `Memory`, without files."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._bodies: dict[str, dict[str, Any]] = {}

    def save(self, session: str, body: dict[str, Any]) -> None:
        """Replace what is kept of the session of that id."""
        self._bodies[session] = body

    def load(self, session: str) -> dict[str, Any] | None:
        """What is kept of the session of that id, or None."""
        return self._bodies.get(session)

    def delete(self, session: str) -> None:
        """Forget the session of that id, if there is one."""
        self._bodies.pop(session, None)

    def bodies(self) -> list[dict[str, Any]]:
        """What is kept of every session."""
        return list(self._bodies.values())
