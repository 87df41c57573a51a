"""Whoever waits for something in a session is woken when it happens, and looks for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf

from anyio import CancelScope

Listener = Callable[[str], None]
"""Called with the URI of what has changed; it neither waits nor raises."""


class Bells:
    """Ends the waits of a session, and tells listeners which resources have changed."""

    def __init__(self) -> None:
        """Nobody waits or listens."""
        self._waits: dict[str, set[CancelScope]] = {}
        self._listeners: list[Listener] = []

    @contextmanager
    def wait(self, session: str, deadline: float = inf) -> Iterator[None]:
        """A block that is left when something happens in the session, or at `deadline` (the loop's clock)."""
        with CancelScope(deadline=deadline) as scope:
            self._waits.setdefault(session, set()).add(scope)
            try:
                yield
            finally:
                self._waits[session].discard(scope)
                if not self._waits[session]:
                    del self._waits[session]

    def ring(self, session: str) -> None:
        """A question was asked, or a turn has ended, in the session."""
        for scope in self._waits.get(session, ()):
            scope.cancel()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` at each change, until what is returned is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def changed(self, session: str = "") -> None:
        """What a session says has changed; without one, the list of them."""
        uri = f"kiro://sessions/{session}" if session else "kiro://sessions"
        for listener in tuple(self._listeners):
            listener(uri)
