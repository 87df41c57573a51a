"""Changes of resources on their way to the hosts that watch them, at most one in a while for each."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import partial

import anyio
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ResourcesListChanged, ResourceUpdated, ServerEvent

SESSIONS = "kiro://sessions"
"""The list of open sessions; a session's own resource is below it."""

_APART_S = 0.25


class Changes:
    """Implements the SDK's `SubscriptionBus`; a session that streams is one update in a quarter of a second."""

    def __init__(self) -> None:
        """Nothing has changed."""
        self._bus = InMemorySubscriptionBus()
        self._waiting: dict[str, None] = {}
        self._some = anyio.Event()

    def note(self, uri: str) -> None:
        """A resource has changed; `run` tells it."""
        self._waiting[uri] = None
        self._some.set()

    async def run(self) -> None:
        """Tell what changes, until this is cancelled."""
        while True:
            await self._some.wait()
            self._some, changed, self._waiting = anyio.Event(), list(self._waiting), {}
            for uri in sorted(changed, key=SESSIONS.__eq__):  # that a session has ended comes behind what it said
                await self.publish(ResourceUpdated(uri))
                if uri == SESSIONS:
                    await self.publish(ResourcesListChanged())
            await anyio.sleep(_APART_S)

    async def publish(self, event: ServerEvent) -> None:
        """See `SubscriptionBus`."""
        await self._bus.publish(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """See `SubscriptionBus`."""
        return self._bus.subscribe(listener)


class Subscriber:
    """What one connection of the handshake era watches; it is told in a task of its own, as slowly as it reads."""

    def __init__(self) -> None:
        """Watch nothing."""
        self.uris: set[str] = set()
        self._waiting: dict[str, None] = {}
        self._some = anyio.Event()
        self._scope = anyio.CancelScope()
        self.running = False

    def close(self) -> None:
        """Tell nothing any more."""
        self._scope.cancel()

    async def run(self, session: ServerSession, changes: Changes, seen: Callable[[], AbstractSet[str]]) -> None:
        """Tell the connection behind `session` what it watches, until this is closed or cancelled.

        Of sessions it watches only those that are `seen`: one that has ended is watched no more.
        """
        unsubscribe = changes.subscribe(partial(self._heard, seen))
        try:
            with self._scope:
                while True:
                    await self._some.wait()
                    self._some, changed, self._waiting = anyio.Event(), list(self._waiting), {}
                    for uri in changed:
                        await session.send_resource_updated(uri)
        finally:
            unsubscribe()

    def _heard(self, seen: Callable[[], AbstractSet[str]], event: ServerEvent) -> None:
        if not isinstance(event, ResourceUpdated):
            return
        if event.uri in self.uris:
            self._waiting[event.uri] = None
            self._some.set()
        if event.uri == SESSIONS:
            self.uris -= {uri for uri in self.uris if uri != SESSIONS} - seen()
