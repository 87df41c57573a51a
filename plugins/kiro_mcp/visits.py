"""Which connections over HTTP are still there: one is gone when it says so, or has asked nothing for long enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import anyio
from starlette.types import Scope

_KEY = "kiro_mcp.visits"
_LATER_S = 5.0
"""The SDK drops a connection before we count it as gone, and not after."""

Gone = Callable[[str], None]


@dataclass(slots=True)
class _Visitor:
    """`requests` are open; where none is, since `since` (the loop's clock); `gone` is called when it has left."""

    requests: int = 0
    since: float = 0.0
    gone: list[Gone] = field(default_factory=list)


class Visits:
    """The connections of the handshake era, by their `Mcp-Session-Id`."""

    def __init__(self, idle_s: float) -> None:
        """One that has no request open for `idle_s` seconds, as long as the SDK waits, is gone."""
        self._idle_s = idle_s + _LATER_S
        self._visitors: dict[str, _Visitor] = {}

    @classmethod
    def of(cls, scope: Scope) -> Visits | None:
        """Those among which a request is counted, if any."""
        visits = scope.get(_KEY)
        return visits if isinstance(visits, cls) else None

    @contextmanager
    def visit(self, session: str, scope: Scope) -> Iterator[None]:
        """Count a request that is served in this block."""
        scope[_KEY] = self
        visitor = self._visitors.get(session)
        if visitor is None:
            visitor = self._visitors[session] = _Visitor()
        visitor.requests += 1
        try:
            yield
        finally:
            visitor.requests -= 1
            visitor.since = anyio.current_time()
            if not visitor.gone and not visitor.requests and self._visitors.get(session) is visitor:
                del self._visitors[session]  # nothing was asked of us, and perhaps nobody has that id

    def when_gone(self, session: str, gone: Gone) -> None:
        """Have `gone` called with the id when the connection of a request that is open now has ended."""
        self._visitors[session].gone.append(gone)

    def leave(self, session: str) -> None:
        """A connection has ended."""
        if (visitor := self._visitors.pop(session, None)) is not None:
            for gone in visitor.gone:
                gone(session)

    async def run(self) -> None:
        """Notice those that are gone, until this is cancelled; one timer serves all."""
        while True:
            with anyio.move_on_after(self._next_look()):
                await anyio.sleep_forever()

    def _next_look(self) -> float:
        """Let those go that are due, and say in how many seconds another one may be."""
        now = anyio.current_time()
        idle = [
            (visitor.since + self._idle_s - now, id_) for id_, visitor in self._visitors.items() if not visitor.requests
        ]
        for left_s, session in idle:
            if left_s <= 0:
                self.leave(session)
        return min((left_s for left_s, _ in idle if left_s > 0), default=self._idle_s)
