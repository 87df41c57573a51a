"""What a command wants of the runs at a desk: a new one, or to go on with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from kiro_core.cli.finding import find_session
from kiro_core.crew import Known, read_crew
from kiro_core.crew.kiro import name_of
from kiro_core.crew.refusing import refused
from kiro_core.dispatcher import Dispatcher
from kiro_core.ports import Client
from kiro_core.types import SessionId


class Order(Protocol):
    """One command."""

    @property
    def asks(self) -> bool:
        """Whether a person is asked about stages that were cut off."""
        ...

    async def begin(self, desk: Dispatcher, client: Client | None) -> SessionId:
        """Have the desk drive the run; its id.

        Raises:
            KiroError: it does not.

        """
        ...


@dataclass(frozen=True, slots=True)
class Beginning:
    """A new run of a crew file, or of one stage that does the task."""

    file: Path | None
    task: str
    engine: str
    cwd: Path
    asks: bool = False

    async def begin(self, desk: Dispatcher, client: Client | None) -> SessionId:
        """See `Order.begin`."""
        known = await desk.crew.known(self.cwd, self.engine)
        return await desk.crew.run(self._crew(known), cwd=self.cwd, engine=self.engine, client=client)

    def _crew(self, known: Known) -> Mapping[str, Any]:
        if self.file is None:
            return {"name": name_of(self.task), "task": self.task, "stages": [{"id": "task", "prompt": "{task}"}]}
        loaded = read_crew(self.file, task=self.task, known=known)
        if loaded.crew is None:
            raise refused(loaded.problems)
        return loaded.crew.model_dump(mode="json", exclude_unset=True)


@dataclass(frozen=True, slots=True)
class Resuming:
    """A run that goes on; `rerun` and `skip` are stages."""

    run: str
    rerun: Sequence[str] = ()
    skip: Sequence[str] = ()
    asks: bool = True

    async def begin(self, desk: Dispatcher, client: Client | None) -> SessionId:
        """See `Order.begin`."""
        info = await find_session(desk, self.run)
        await desk.crew.resume(info.id, rerun=self.rerun, skip=self.skip, client=client)
        return info.id
