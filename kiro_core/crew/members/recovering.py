"""What a crash left out: who opens a parent again learns what came of its members, each once."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from kiro_core.crew.members import results
from kiro_core.crew.members.roster import Entry, Roster, roster_of
from kiro_core.crew.posting import post, post_when_room
from kiro_core.errors import InboxFull, KiroError, SessionNotFound

if TYPE_CHECKING:
    from kiro_core.crew.members.trees import Trees
    from kiro_core.crew.said import Result
    from kiro_core.types import SessionInfo

_LOG = logging.getLogger(__name__)


def unsettled(trees: Trees, roster: Roster) -> list[Entry]:
    """The members of a parent of which it was not told what became of them, and which nobody drives here."""
    return [each for each in roster.entries.values() if not each.kept.outcome and each.session not in trees.works]


async def repeat(trees: Trees, info: SessionInfo) -> None:
    """Put into the inbox of a session that is about to be opened what a crash has kept from it; never raises.

    What is there before does not wake it: nobody wants a turn to begin because a session was looked at. What cannot be
    put is put when it is open.
    """
    ground = trees.ground
    with anyio.move_on_after(ground.settings.limits.control_s), suppress(KiroError):
        if await ground.store.holder(info.id):
            return  # whoever has it open knows better
        for entry in unsettled(trees, roster_of(info)):
            if await _is_own(trees, entry):
                letter = results.letter_of(entry, await _came_to(trees, entry), 1)
                await post(ground, entry.parent, letter)


async def recover(trees: Trees, entries: list[Entry]) -> None:
    """Settle members of a session that is open now; never raises."""
    for entry in entries:
        try:
            await _recover(trees, entry)
        except InboxFull:
            _LOG.info("the session %s ended before it was told what came of its members", entry.parent)
        except KiroError as error:
            _LOG.warning("what came of the session %s is not known: %s", entry.session, error)


async def _recover(trees: Trees, entry: Entry) -> None:
    if not await _is_own(trees, entry):
        trees.remove(entry)
        trees.change(entry.parent)
        return
    result = await _came_to(trees, entry)
    trees.change(entry.session)
    await post_when_room(trees.ground, entry.parent, results.letter_of(entry, result, 1))
    await results.settle(trees.ground, trees.of(entry), entry)


async def _is_own(trees: Trees, entry: Entry) -> bool:
    """Whether the session of an entry is below the one that has it; metadata may be anybody's."""
    try:
        info = await trees.ground.store.get(entry.session)
    except SessionNotFound:
        return True
    return info.parent == entry.parent


async def _came_to(trees: Trees, entry: Entry) -> Result:
    result = await results.looked_up(trees.ground, entry)
    entry.outcome, entry.result = result
    return result
