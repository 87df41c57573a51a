"""One task of one member, from its place in the line to its result: it settles once, whatever happens."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import anyio

from kiro_core.crew.answering import left
from kiro_core.crew.members import results
from kiro_core.crew.members.line import may_begin
from kiro_core.crew.posting import post_when_room
from kiro_core.crew.said import Result
from kiro_core.errors import KiroError, Unavailable
from kiro_core.journal import utc_now

if TYPE_CHECKING:
    from kiro_core.crew.members.asked import Asked
    from kiro_core.crew.members.doing import Doing
    from kiro_core.crew.members.roster import Entry
    from kiro_core.types import Letter, SessionId

_LOG = logging.getLogger(__name__)
_RETRY_S = 1.0
_CUT_OFF = Result("unknown", "It was cut off, and nobody knows how far it came.")


class Work:
    """One task.

    It has `begun` when its place in the line has come, is `recorded` when the member's own record has what it came to,
    and `over` when its parent was told, or cannot be told now.
    """

    def __init__(self, asked: Asked, entry: Entry, doing: Doing) -> None:
        """Begin nothing yet."""
        self.entry = entry
        self.doing = doing
        self.root: SessionId = asked.trees.root(entry.session)
        self.begun: bool = False
        self.recorded: Final = anyio.Event()
        self.over: Final = anyio.Event()
        self._trees = asked.trees
        self._asked = asked
        self._ground = asked.trees.ground
        self._roster = asked.trees.of(entry)
        self._scope = anyio.CancelScope()
        self._owing = anyio.CancelScope()
        self._stopped: Result | None = None
        self._ends_with_parent = False

    @property
    def is_over(self) -> bool:
        """Whether it has settled."""
        return self.over.is_set()

    @property
    def parked(self) -> bool:
        """Whether it only waits for others."""
        return self._trees.parked[self.entry.session] > 0

    def before(self) -> list[str]:
        """The names of those that it waits for."""
        works = (self._trees.works.get(each) for each in self.entry.kept.depends_on)
        return [work.entry.kept.name for work in works if work is not None and not work.is_over]

    def stop(self, why: str, *, with_parent: bool = False) -> None:
        """End it before it ends by itself; `with_parent` that is told first, while its record is held."""
        self._ends_with_parent = self._ends_with_parent or with_parent
        self._stopped = self._stopped or Result("cancelled", why)
        self._scope.cancel()

    def let_go(self) -> None:
        """Wait no more until the parent can be told: whoever opens it next tells it."""
        self._owing.cancel()

    async def run(self) -> None:
        """Have it; never raises."""
        limit = 2 * self._ground.settings.limits.control_s
        result: Result | None = None
        told = False
        try:
            with self._scope:
                result = await self._had()
            with anyio.move_on_after(limit, shield=True):
                result = result or await self._left()
            letter = self._came_to(result or _CUT_OFF)
            with anyio.move_on_after(limit, shield=True):
                told = await self._settled(result or _CUT_OFF, letter)
            self._finish()
            if not told:
                with self._owing:
                    await self._owe(letter)
        except Exception:  # noqa: BLE001 - one task's failure, of whatever kind, ends no other and no session
            _LOG.exception("the task of the session %s could not be settled", self.entry.session)
            self._came_to(result or _CUT_OFF)
        finally:
            self._finish()
            if self._trees.works.get(self.entry.session) is self:
                del self._trees.works[self.entry.session]

    async def _had(self) -> Result | None:
        try:
            while not self._may_begin():
                await self._trees.changed.wait()
            self.begun = True
            self._trees.change(self.entry.session)
            before = (self._trees.entry(each) for each in self.entry.kept.depends_on)
            return await self.doing.done([each for each in before if each is not None])
        except KiroError as error:
            if not self._ground.is_open:
                return Result("cancelled", "The desk ended.")
            return Result("failed", f"{error} {error.hint}".rstrip())
        except Exception as error:  # noqa: BLE001 - the same
            _LOG.exception("the task of the session %s failed", self.entry.session)
            return Result("failed", f"Something failed: {type(error).__name__}: {error}.")

    def _may_begin(self) -> bool:
        free = self._ground.settings.crew.max_parallel - self._asked.at_work(self.root)
        return may_begin(self, self._trees.works.values(), free)

    async def _left(self) -> Result:
        """What is on record of a task that was stopped or cut off: its turn may have ended first."""
        if self.begun:
            with suppress(KiroError):
                said = await left(self._ground.told(self.entry.session), self.entry.key)
                return said or self._stopped or _CUT_OFF
        return self._stopped or _CUT_OFF

    def _came_to(self, result: Result) -> Letter:
        self.entry.outcome, self.entry.result, self.entry.active = result.outcome, result.text, utc_now()
        return results.letter_of(self.entry, result, self.doing.hops + 1)

    async def _settled(self, result: Result, letter: Letter) -> bool:
        """Put on record what it came to, wherever that belongs; whether the parent was told."""
        is_kept = await results.record_open(self._ground, self.entry, result)
        self.recorded.set()
        if self._ends_with_parent:
            told = await self._told(letter)
            await self._end(result, is_kept=is_kept)
            return told
        await self._end(result, is_kept=is_kept)
        return await self._told(letter)

    async def _end(self, result: Result, *, is_kept: bool) -> None:
        """Let go of the session, which has its result on record then."""
        if self._stopped is not None or not self.entry.kept.persistent:
            await self.doing.end(by_force=self._stopped is not None)
        if not is_kept:
            await results.record_at_rest(self._ground, self.entry, result)

    async def _told(self, letter: Letter) -> bool:
        """Tell the parent, if it reads what it is told; whether that is done."""
        if self._trees.reads(self.entry.parent) and not await results.tell_parent(self._ground, self.entry, letter):
            return False
        await results.settle(self._ground, self._roster, self.entry)
        return True

    async def _owe(self, letter: Letter) -> None:
        """Tell the parent when it has read something, or its store can again; else when it is opened again."""
        while True:
            try:
                await post_when_room(self._ground, self.entry.parent, letter)
            except Unavailable:
                await anyio.sleep(_RETRY_S)
            except KiroError as error:
                _LOG.info("the session %s is not told the result of %s: %s", letter.sender, self.entry.parent, error)
                return
            else:
                await results.settle(self._ground, self._roster, self.entry)
                return

    def _finish(self) -> None:
        if not self.is_over:
            self.recorded.set()
            self.over.set()
            self._trees.change(self.entry.session)
            if (parent := self._ground.live(self.entry.parent)) is not None:
                parent.stir()
