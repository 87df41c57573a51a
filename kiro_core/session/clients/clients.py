"""Who is at a session: controllers, who prompt and answer, and observers, who watch."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

import anyio

from kiro_core.errors import ObserverOnly
from kiro_core.lazily import LazyEvent
from kiro_core.notices import UNATTENDED
from kiro_core.ports import Client
from kiro_core.session.clients.member import CONTROLLER, OBSERVER, Member
from kiro_core.session.clients.shown import Item
from kiro_core.types import Notice, PeerInfo, SessionId

_UNTOLD = 100
_MOMENT_S = 0.1


class Attended(Protocol):
    """What the clients need of their session."""

    @property
    def running_turn(self) -> str:
        """The id of the turn that runs, or `""`."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the session is open."""
        ...

    def stir(self) -> None:
        """Take note that something began or ended."""
        ...

    def came(self, client: Client) -> None:
        """A client came, and may be told of sessions below this one."""
        ...

    def went(self, client: Client) -> None:
        """It left."""
        ...

    def missed(self, after: int, upto: int) -> AsyncGenerator[tuple[int, Sequence[Item]], None]:
        """See `Followed.missed`."""
        ...


class Clients:
    """The clients of one session; `changed` is set, and made anew, whenever one comes or goes.

    `opener` is what the client that asked for the session said of itself; agents are told that.
    """

    def __init__(self, session: Attended, id: SessionId) -> None:  # noqa: A002 - its id
        """Begin with nobody, and with nothing on record."""
        self.id = id
        self.head: int = 0
        self.members: list[Member] = []
        self.changed: anyio.Event = LazyEvent()
        self.opener: PeerInfo = PeerInfo()
        self._session = session
        self._untold: list[tuple[int, Notice]] = []

    @property
    def in_turn(self) -> bool:
        """Whether a turn runs."""
        return bool(self._session.running_turn)

    @property
    def ready(self) -> bool:
        """Whether the session is open."""
        return self._session.ready

    @property
    def controllers(self) -> list[Member]:
        """Those who may prompt and answer, in the order in which they came."""
        return [member for member in self.members if member.role == CONTROLLER]

    @property
    def attended(self) -> bool:
        """Whether there is a controller at which a person may sit."""
        return any(UNATTENDED not in member.client.info.abilities for member in self.controllers)

    @property
    def serving(self) -> Client | None:
        """Who does what an agent asks of its client: whose prompt its turn has, else the controller that came last."""
        turn, controllers = self._session.running_turn, self.controllers
        prompted = (member for member in controllers if turn in member.rendering.wrote)
        member = next(prompted, next(reversed(controllers), None))
        return member.client if member is not None else None

    def begin(self, head: int) -> None:
        """Show what comes behind record number `head`, the last one when the session was opened."""
        self.head = head
        for member in self.members:
            member.shown_until(head)

    def missed(self, after: int, upto: int) -> AsyncGenerator[tuple[int, Sequence[Item]], None]:
        """See `Followed.missed`."""
        return self._session.missed(after, upto)

    def join(self, client: Client, role: str = CONTROLLER) -> Member:
        """Let a client in, who gets what happens from now on as soon as `Member.run` is started.

        One that is here already begins anew, and what it wrote stays its own.
        """
        before = self.of(client)
        member = Member(self, client, role, self.head, self._forget)
        if before is not None:
            member.rendering.wrote = before.rendering.wrote
            before.leave()
            self.members.remove(before)
        member.rendering.untold, self._untold = self._untold, []
        if self._alone:
            self.opener = client.info
        self._add(member)
        return member

    def follow(self, client: Client) -> Member | None:
        """Let a client watch, since it is at a session above; None where it is here by itself."""
        if self.of(client) is not None:
            return None
        member = Member(self, client, OBSERVER, self.head, self._forget)
        member.follows = True
        self._add(member)
        return member

    def cast(self, member: Member, role: str) -> None:
        """Give a member the role that it wants, which is here by its own wish from then on."""
        member.follows = False
        if member.role != role:
            member.role = role
            self._change()

    def stir(self) -> None:
        """Take note that something began or ended."""
        self._session.stir()

    def leave(self, client: Client) -> None:
        """Show nothing more to a client that detached."""
        if (member := self.of(client)) is not None:
            member.leave()
            self._forget(member)

    def of(self, client: Client) -> Member | None:
        """The member that a client is."""
        return next((member for member in self.members if member.client is client), None)

    def controller(self, client: Client) -> Member:
        """The member that a client is.

        Raises:
            ObserverOnly: it only watches.

        """
        member = self.of(client)
        if member is None or member.role != CONTROLLER:
            raise ObserverOnly(
                "This client only observes the session.", hint="Open the session again without the role of an observer."
            )
        return member

    def publish(self, seq: int, items: Sequence[Item]) -> None:
        """Show what record number `seq` says, or what is on no record (0), to every client; waits for none."""
        self.head = max(self.head, seq)
        for member in self.members if items else ():
            member.put(seq, items)
        if self._alone:
            told = [(seq, item) for item in items if isinstance(item, Notice)]
            self._untold = [*self._untold, *told][-_UNTOLD:]

    async def kept_up(self) -> None:
        """Give those who control the session a moment when none of them keeps up; who still does not falls behind."""
        controllers = [member for member in self.members if member.role == CONTROLLER]
        if not controllers or not all(member.hurried for member in controllers):
            return
        with anyio.move_on_after(_MOMENT_S):
            for member in controllers:
                await member.kept_up()
        for member in controllers:
            if member.hurried:
                member.fall_behind()

    def untell(self) -> None:
        """Forget what waits for a turn: it was of an agent program that is not there any more."""
        self._untold.clear()
        for member in self.members:
            member.rendering.untold.clear()

    def end(self) -> None:
        """The session has ended: everybody is shown what is left, and nobody comes any more."""
        for member in self.members:
            member.end()

    @property
    def _alone(self) -> bool:
        """Whether nobody is here by itself."""
        return all(member.follows for member in self.members)

    def _add(self, member: Member) -> None:
        self.members.append(member)
        self._change()
        self._session.came(member.client)

    def _forget(self, member: Member) -> None:
        if member in self.members:
            self.members.remove(member)
            self._change()
            self._session.went(member.client)

    def _change(self) -> None:
        self.stir()
        self.changed.set()
        self.changed = LazyEvent()
