"""What a session may have those below it do: go another way, or end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from kiro_core.crew.members.rules import refused, require_hops, require_text

if TYPE_CHECKING:
    from kiro_core.crew.members.finding import Finding
    from kiro_core.crew.members.roster import Entry
    from kiro_core.crew.members.spawning import Spawning
    from kiro_core.crew.members.trees import Trees

_CANCELLED = "Somebody cancelled it."


class Commanding:
    """The verbs `interrupt` and `end`; see `ports.Members`."""

    def __init__(self, trees: Trees, finding: Finding, spawning: Spawning) -> None:
        """Command nobody yet."""
        self._trees = trees
        self._finding = finding
        self._spawning = spawning

    async def interrupt(self, by: str, target: str, text: str) -> Entry:
        """See `Members.interrupt`."""
        require_text(text)
        entry = self._finding.below(by, target)
        work = self._trees.works.get(entry.session)
        if work is None or work.is_over:
            return await self._spawning.revive(by, target, text)
        if not work.begun:
            raise refused("blocked", f"{entry.kept.name!r} has not begun yet.", hint="Write again when it works.")
        hops = require_hops(self._finding.acting(by).inbox.hops) - 1 if by else 0
        if await work.doing.interrupt(text, hops):
            return entry
        await work.over.wait()  # its task is done, and is about to settle
        return await self._spawning.revive(by, target, text)

    async def end(self, by: str, target: str) -> Entry:
        """See `Members.end`; returns when it has ended, or after `limits.control_s`."""
        entry = self._finding.below(by, target)
        work = self._trees.works.get(entry.session)
        with anyio.move_on_after(self._trees.ground.settings.limits.control_s):
            if work is not None and not work.is_over:
                work.stop(_CANCELLED)
                await work.over.wait()
            elif (live := self._trees.ground.live(entry.session)) is not None:
                await live.close()
        return entry
