"""One attempt of a stage is a session of its own with one prompt, and has ended with its process when it is told."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import anyio

from kiro_core import messages
from kiro_core.crew.answering import answered, left
from kiro_core.crew.said import Result
from kiro_core.crew.usage import used
from kiro_core.errors import KiroError
from kiro_core.rpc import result
from kiro_core.types import NO_USAGE, SessionId, Usage

if TYPE_CHECKING:
    from kiro_core.crew.ground import Ground
    from kiro_core.crew.live import Seat
    from kiro_core.crew.stages import Stage
    from kiro_core.frames import Frame

_LOG = logging.getLogger(__name__)
_SHORT = 8


@dataclass(frozen=True, slots=True)
class Task:
    """What an attempt is to do; `engine` is that of a stage which names none, or "", and `hops` led to the run."""

    run: SessionId
    cwd: str
    roots: tuple[str, ...]
    engine: str
    stage: Stage
    attempt: int
    prompt: str
    hops: int = 0

    @property
    def key(self) -> str:
        """What the record of its session calls its turn."""
        return task_key(self.stage.id, self.attempt)

    def opening(self) -> Frame:
        """`session/new`, below the run and named after it; an agent configuration that is named is required."""
        again = f".{self.attempt}" if self.attempt > 1 else ""
        return messages.new_session(
            self.cwd,
            roots=self.roots,
            agent=self.stage.agent,
            engine=self.stage.engine or self.engine,
            name=f"{self.run[:_SHORT]}/{self.stage.id}{again}",
            parent=self.run,
        )


def task_key(stage: str, attempt: int) -> str:
    """See `Task.key`."""
    return f"{stage}.{attempt}"


class Parent(Protocol):
    """What a child tells its run."""

    async def opened(self, task: Task, session: SessionId) -> None:
        """Its session is there, and gets its prompt when this returns."""
        ...

    def ended(self, task: Task, result: Result, usage: Usage) -> None:
        """It has ended, and so has its session, which used that."""
        ...


class Child:
    """One attempt; `run` is its task."""

    def __init__(self, task: Task, ground: Ground, agent: Seat, parent: Parent) -> None:
        """Open nothing yet."""
        self._task = task
        self._ground = ground
        self._agent = agent
        self._parent = parent
        self._session = SessionId(str(uuid4()))  # chosen beforehand, so that what is just being opened can be ended
        self._is_open = False
        self._scope = anyio.CancelScope()
        self._stopped: Result | None = None

    def stop(self, result: Result) -> None:
        """End it before it ends by itself, with that result unless it has come to something already."""
        self._stopped = self._stopped or result
        self._scope.cancel()

    async def run(self) -> None:
        """Have it, and tell the run what became of it; only a run that ends itself is told nothing."""
        outcome: Result | None = None
        try:
            with self._scope:
                outcome = await self._had()
            if self._scope.cancelled_caught:
                outcome = await self._left() or self._stopped
        finally:
            await self._close()
        if outcome is not None:
            self._parent.ended(self._task, outcome, await self._used())

    async def _had(self) -> Result | None:
        try:
            return await self._opened()
        except KiroError as error:
            # What the end of the desk cut off is no failure of the stage: its record tells who resumes the run.
            return Result("failed", f"{error} {error.hint}".rstrip()) if self._ground.is_open else None
        except Exception as error:  # noqa: BLE001 - a boundary: whatever fails for one attempt, the run goes on
            _LOG.exception("run %s: an attempt of the stage %r failed", self._task.run, self._task.stage.id)
            return Result("failed", f"Something failed: {type(error).__name__}: {error}.")

    async def _opened(self) -> Result | None:
        result(await self._agent.begin(self._task.opening(), self._session), "Its session could not be opened")
        self._is_open = True
        await self._parent.opened(self._task, self._session)
        if model := self._task.stage.model:
            frame = messages.about("session/set_model", self._session, modelId=model)
            result(await self._agent.call(frame), f"The model {model!r} cannot be had")
        task = self._task
        return await answered(self._ground, self._agent, self._session, task.key, task.prompt, hops=task.hops)

    async def _left(self) -> Result | None:
        """What is on record of one that was stopped: the end of its turn may have come first."""
        if self._is_open:
            with anyio.move_on_after(self._ground.settings.limits.control_s), suppress(KiroError):
                return await left(self._ground.told(self._session), self._task.key)
        return None

    async def _used(self) -> Usage:
        """Read behind its end, since agents tell of it when their answer is out already."""
        if self._is_open:
            with anyio.move_on_after(self._ground.settings.limits.control_s):
                try:
                    return await used(self._ground.store.read(self._session))
                except KiroError as error:
                    _LOG.info("run %s: what %s used cannot be read: %s", self._task.run, self._session, error)
        return NO_USAGE

    async def _close(self) -> None:
        with anyio.move_on_after(self._ground.settings.limits.control_s, shield=True):
            try:
                if self._is_open:
                    await self._agent.close(messages.close(self._session))
                elif (live := self._ground.live(self._session)) is not None:
                    await live.close()
            except KiroError as error:
                _LOG.info("run %s: the session %s did not end as it should: %s", self._task.run, self._session, error)
