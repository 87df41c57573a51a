"""What is known here of one open session, and whether somebody is busy with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import anyio

from kiro_mcp.service.hosts import Host
from kiro_mcp.service.known import Task
from kiro_mcp.service.showing import one_line, utc_now
from kiro_mcp.service.views import Command, OpenSession


class Live:
    """One open session: `ending` is "", "ending" or "ending_failed", `seen` the last record that was read of it.

    `hosts` have it as their own, it is `left` when nobody can use it any more, and `ended_by` wanted its end.
    `earlier` are the tasks that another run of this server began in it and that go on, None before somebody asks.
    `stirred` is when something last happened, by the loop's clock. `prompted` and `executed` are the commands that its
    agent offers, by their names: as prompts, and in Kiro's own way; `offered` is set when it has told any.
    """

    def __init__(self, id: str, chosen: Mapping[str, Any], cwd: str, created: str, title: str = "") -> None:  # noqa: A002 - its id
        """`chosen` is what the desk chose: `{agent, engine}`."""
        self.id = id
        self.agent = str(chosen.get("agent") or "")
        self.engine = str(chosen.get("engine") or "")
        self.cwd = cwd
        self.created = created
        self.title = title
        self.hosts: list[Host] = []
        self.left = False
        self.ended_by: list[Host] = []
        self.ending = ""
        self.ended = anyio.Event()
        self.failure: Exception | None = None
        self.watching = anyio.CancelScope()
        self.seen = 0
        self.earlier: Sequence[Task] | None = None
        self.prompted: Mapping[str, str] = {}
        self.executed: Mapping[str, str] = {}
        self.offered = anyio.Event()
        self._turns = 0
        self._uses = 0
        self._left = anyio.Event()
        self.stir()

    @property
    def is_busy(self) -> bool:
        """Whether a turn of ours runs or waits."""
        return bool(self._turns)

    @property
    def in_use(self) -> bool:
        """Whether a call, a turn or a question of it is open here."""
        return bool(self._uses or self._turns)

    async def unused(self) -> None:
        """Wait until none is."""
        while self.in_use:
            await self._left.wait()

    def begin_turn(self) -> None:
        """A turn of ours is there, until `end_turn`."""
        self._turns += 1

    def end_turn(self) -> None:
        """One of them has ended."""
        self._turns -= 1
        self._leave()

    @contextmanager
    def used(self) -> Iterator[None]:
        """Somebody is busy with it in this block."""
        self._uses += 1
        self.stir()
        try:
            yield
        finally:
            self._uses -= 1
            self._leave()

    def stir(self) -> None:
        """Something happened."""
        self.stirred = anyio.current_time()
        self._active = utc_now()

    def view(self) -> OpenSession:
        """It, as hosts are shown it."""
        offered = {**self.prompted, **self.executed}
        return OpenSession(
            self.id,
            self.agent,
            self.engine,
            self.cwd,
            one_line(self.title),
            self.created,
            self._active,
            self.ending or ("busy" if self._turns else "ready"),
            [Command(name, one_line(offered[name])) for name in sorted(offered)],
        )

    def _leave(self) -> None:
        self.stir()
        if not self.in_use:
            self._left.set()
            self._left = anyio.Event()
