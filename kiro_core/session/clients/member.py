"""One client at a session: it is shown everything in a task of its own, so that a slow one holds nobody up.

What waits for a client is bounded. One that falls further behind is shown the rest from the record.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Final, Protocol

import anyio

from kiro_core.errors import Disconnected, KiroError, Unavailable
from kiro_core.frames import Frame
from kiro_core.notices import CURSOR, CURSORS
from kiro_core.ports import Client
from kiro_core.prompt import prompt_verb
from kiro_core.session.clients.shown import Item, Rendering
from kiro_core.session.clients.waiting import Waiting, joined
from kiro_core.types import SessionId

_LOG = logging.getLogger(__name__)

CONTROLLER = "controller"
OBSERVER = "observer"

_WAITING_BYTES = 1 << 20
_AHEAD_BYTES = _WAITING_BYTES // 4
_ASIDE = 100
_BATCH = 64
_LAST_S = 1.0
_RETRY_S = 1.0


class Followed(Protocol):
    """What a member needs of its session."""

    @property
    def id(self) -> SessionId:
        """The session's id."""
        ...

    @property
    def head(self) -> int:
        """The number of the last record that may be shown."""
        ...

    @property
    def in_turn(self) -> bool:
        """Whether a turn runs."""
        ...

    @property
    def ready(self) -> bool:
        """Whether the session is open."""
        ...

    def missed(self, after: int, upto: int) -> AsyncGenerator[tuple[int, Sequence[Item]], None]:
        """What records behind one number up to another show, each with its own number."""
        ...


class Member:
    """One client; `cursor` is the number of the last record that it was shown.

    One that `follows` did not ask for this session: it is at one above.
    """

    def __init__(
        self, session: Followed, client: Client, role: str, cursor: int, gone: Callable[[Member], None]
    ) -> None:
        """Hold everything back until `run`: a session is unknown to its client before the answer that opens it."""
        self.client = client
        self.role = role
        self.follows = False
        self.cursor: int = cursor
        self.left: Final = anyio.Event()
        self.begun: Final = anyio.Event()
        self.failure: KiroError | None = None
        self.rendering: Final = Rendering(session.id, client.info)
        self._session = session
        self._gone = gone
        self._queue = Waiting()
        self._aside: deque[Frame] = deque(maxlen=_ASIDE)
        self._behind = False
        self._ending = False
        self._given = self._taken = 0
        self._idle = False
        self._news: anyio.Event | None = None
        self._progress: anyio.Event | None = None
        self._scope = anyio.CancelScope()

    @property
    def waiting(self) -> int:
        """How many bytes wait for it in memory."""
        return self._queue.bytes

    def put(self, seq: int, items: Sequence[Item]) -> None:
        """Show items of the record number `seq`, or of none (0), as soon as the client takes them."""
        if seq and seq <= self.cursor:
            return
        in_turn = self._session.in_turn
        parts = joined([self.rendering.frames(item, seq, in_turn=in_turn) for item in items])
        self._given += 1
        if self._idle and self._offered(parts):
            self.cursor, self._taken = max(self.cursor, seq), self._given
            return
        if not self._behind:
            self._queue.put(seq, parts)
            if self._queue.bytes > _WAITING_BYTES and len(self._queue) > 1:
                self.fall_behind()
        elif not seq:  # what is on record is read there
            self._aside.extend(frame for frames in parts for frame in frames)
        self._stir()

    def _offered(self, parts: Sequence[Sequence[Frame]]) -> bool:
        """Whether the client took them at once, which saves its task being woken for each chunk."""
        offer: Callable[[Sequence[Frame]], bool] | None = prompt_verb(self.client, "offer", "notify")
        if offer is None or len(parts) != 1 or CURSORS in self.client.info.abilities:
            return False
        try:
            return offer(parts[0])
        except Exception:  # noqa: BLE001 - a client is a boundary; its own task meets the failure, and tells it
            return False

    @property
    def hurried(self) -> bool:
        """Whether so much waits for a client that is being shown it that the agent should give it a moment."""
        return self._queue.bytes > _AHEAD_BYTES and self.begun.is_set() and not self.left.is_set()

    async def kept_up(self) -> None:
        """Wait until it is `hurried` no more."""
        while self.hurried:
            await self._progressed()

    def shown_until(self, head: int) -> None:
        """Take note that the client is being shown the record up to `head` by somebody else."""
        self.cursor = head
        self._queue.drop_until(head)

    def begin_behind(self, cursor: int) -> None:
        """Show what is on record behind that number, to a client that was shown all before it."""
        self.cursor = min(cursor, self.cursor)
        self.fall_behind()

    def fall_behind(self) -> None:
        """Show everything behind the cursor from the record."""
        self._aside.extend(self._queue.unrecorded())
        self._queue = Waiting()
        self.rendering.forget_behind(self.cursor)
        self._behind = True
        self._stir()

    def leave(self) -> None:
        """Show nothing more."""
        self.left.set()
        self.begun.set()
        self._scope.cancel()
        self._moved_on()

    def end(self) -> None:
        """Show what is left, for a second at most: the session has ended."""
        self._ending = True
        self._scope.deadline = anyio.current_time() + _LAST_S
        self._stir()

    async def flushed(self) -> None:
        """Wait until the client has taken what there was to show.

        Before the answer that opens the session to it nothing is shown: then this waits for that, unless the session
        itself is still opening.

        Raises:
            KiroError: it could not be shown, and the client is not at the session any more.

        """
        mine = self._given
        if self._session.ready:
            await self.begun.wait()
        while self.begun.is_set() and self._taken < mine and not self.left.is_set():
            await self._progressed()
        if self.failure is not None:
            raise self.failure

    async def run(self) -> None:
        """Show what waits, as it comes, until the client has left or the session has ended."""
        self.begun.set()
        try:
            with self._scope:
                await self._report()
                await self._show_all()
        except Disconnected:
            _LOG.debug("session %s: a client is gone", self._session.id)
        except KiroError as error:
            self.failure = error
            _LOG.warning("session %s: a client is shown nothing more: %s", self._session.id, error)
        except Exception:  # noqa: BLE001 - a client is a boundary: its failure ends neither session nor desk
            _LOG.exception("session %s: a client failed and is shown nothing more", self._session.id)
        finally:
            self.leave()
            self._gone(self)

    async def _show_all(self) -> None:
        while True:
            if self._behind:
                await self.catch_up()
            elif self._queue:
                await self._show_waiting()
            elif self._ending:
                return
            else:
                await self._waiting_for_news()

    async def _waiting_for_news(self) -> None:
        self._news, self._idle = anyio.Event(), True
        try:
            await self._news.wait()
        finally:
            self._news, self._idle = None, False

    async def _show_waiting(self) -> None:
        given = self._given
        parts, seq = self._queue.take()
        await self._show(parts, seq)
        self._taken = given
        self._moved_on()

    async def catch_up(self) -> None:
        """Show a client that is behind all that it has missed; before `run`, or by it."""
        while self.cursor < (upto := self._session.head):
            try:
                await self._read_on(upto)
            except Unavailable as error:
                _LOG.warning("session %s: a client waits for its record: %s", self._session.id, error)
                await anyio.sleep(_RETRY_S)
        # Nothing was published since the last look, so that from here on nothing is missed or shown twice.
        frames, given = list(self._aside), self._given
        self._aside.clear()
        self._behind = False
        await self._show([frames], 0)
        self._taken = given
        self._moved_on()

    async def _read_on(self, upto: int) -> None:
        frames: list[Frame] = []
        async with aclosing(self._session.missed(self.cursor, upto)) as missed:
            async for seq, items in missed:
                for item in items:
                    frames.extend(self.rendering.frames(item, seq, in_turn=True))
                if len(frames) >= _BATCH:
                    await self._show([frames], seq)
                    frames = []
        await self._show([frames], upto)

    async def _show(self, parts: Sequence[Sequence[Frame]], seq: int) -> None:
        moved = seq > self.cursor
        # Before it is sent: a record that is being shown is not shown again.
        self.cursor = max(self.cursor, seq)
        if moved and CURSORS in self.client.info.abilities:
            # In one write, which the desk may not survive: the other side shows what has come with its number.
            shown = (frame for frames in parts for frame in frames)
            await self.client.notify([self._cursor(None), *shown, self._cursor(self.cursor)])
            return
        for frames in parts:
            if frames:
                await self.client.notify(frames)

    async def _report(self) -> None:
        if CURSORS in self.client.info.abilities:
            await self.client.notify([self._cursor(self.cursor)])

    def _cursor(self, seq: int | None) -> Frame:
        return Frame.of(CURSOR, {"sessionId": self._session.id, **({} if seq is None else {"seq": seq})})

    async def _progressed(self) -> None:
        self._progress = self._progress or anyio.Event()
        await self._progress.wait()

    def _moved_on(self) -> None:
        progress, self._progress = self._progress, None
        if progress is not None:
            progress.set()

    def _stir(self) -> None:
        self._idle = False
        if self._news is not None:
            self._news.set()
