"""The verbs of a crew bound to one session, so that whoever speaks for its agent can name no other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kiro_core.crew.members.rules import require_hops
from kiro_core.errors import CrewInvalid, CrewRefused

if TYPE_CHECKING:
    from kiro_core.ports.crews import Crews
    from kiro_core.types import RunView, SessionId, SessionInfo


class BoundCrew:
    """Implements `OwnCrew`."""

    def __init__(self, info: SessionInfo, crews: Crews, hops: Callable[[], int]) -> None:
        """Act for the session that `info` is of; `hops` says how many letters led to the turn that runs there."""
        self._info = info
        self._crews = crews
        self._hops = hops
        by = info.id
        self.spawn: Final = partial(crews.spawn, by)
        self.send: Final = partial(crews.send, by)
        self.broadcast: Final = partial(crews.broadcast, by)
        self.read: Final = partial(crews.read, by)
        self.members: Final = partial(crews.members, by)
        self.status: Final = partial(crews.status, by)
        self.interrupt: Final = partial(crews.interrupt, by)
        self.inject: Final = partial(crews.inject, by)
        self.group: Final = partial(crews.group, by)
        self.revive: Final = partial(crews.revive, by)
        self.wait: Final = partial(crews.wait, by)
        self.end: Final = partial(crews.end, by)
        self.summarise: Final = partial(crews.summarise, by)
        self.report: Final = crews.report
        self.deliver: Final = crews.deliver

    @property
    def may_spawn(self) -> bool:
        """See `OwnCrew.may_spawn`."""
        return self._crews.may_spawn(self._info.id)

    def follow(self, run: SessionId) -> AsyncGenerator[RunView, None]:
        """See `OwnCrew.follow`."""
        return self._crews.follow(run, self._info.id)

    async def run(self, fields: Mapping[str, Any]) -> SessionId:
        """See `OwnCrew.run`."""
        from kiro_core.crew.kiro import as_crew, in_kiros_words

        if not self.may_spawn:
            raise CrewRefused(
                "This session is as deep as one may be, and can start no others.",
                hint="Do it yourself, or tell the session above.",
                rule="depth",
            )
        info, hops = self._info, require_hops(self._hops()) - 1
        try:
            return await self._crews.run(
                as_crew(fields), cwd=Path(info.cwd), roots=info.roots, parent=info.id, hops=hops
            )
        except CrewInvalid as error:
            raise in_kiros_words(error) from error
