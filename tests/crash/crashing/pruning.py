"""Kills a pruning at one step after the other, and looks at what is left of each session, then and after the next one.

Started as a program with one JSON object, `{root, stride}`, where only every so many steps are tried; it answers with
`{kills, faults}` when a pruning came to its end.
"""

import json
import signal
import sys
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

import anyio

from crashing import dying
from crashing.forks import forked, warm_up

LONG_AGO, NEVER = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"
KINDS = {
    "old": {"updated": LONG_AGO},
    "new": {"updated": NEVER},
    "due": {"trashed": LONG_AGO},
    "early": {"trashed": NEVER},
}
"""One session of each: the first goes to the trash, the third out of it."""

MAY_BE = {"old": {"kept", "trash"}, "new": {"kept"}, "due": {"trash", "gone"}, "early": {"trash"}}
IN_THE_END = {"old": {"trash"}, "new": {"kept"}, "due": {"gone"}, "early": {"trash"}}


async def begin(_, store, infos):
    """Make the sessions."""
    for info in infos.values():
        async with store.create(info) as db:
            await db.append([b"{}", b"{}"])


async def prune(_, store, __):
    """Do all that has to be done."""
    from kiro_core.dispatcher.retention import Retention
    from kiro_core.settings import RetentionSettings
    from kiro_core.types import PruneRule

    async for _ in Retention(store, (), RetentionSettings).prune(PruneRule(older_than=timedelta(days=1))):
        pass


async def look(tell, store, infos):
    """Tell what is wrong, before the next pruning and after it."""
    for expected in (MAY_BE, IN_THE_END):
        for kind, info in infos.items():
            if (found := await _place(store, info)) not in expected[kind]:
                tell(f"{kind} is {found} and not in {expected[kind]}")
        await prune(tell, store, infos)


async def _place(store, info):
    """Where a session is, which is whole and free."""
    from kiro_core.errors import SessionNotFound

    try:
        async with store.open(info.id) as db:
            assert db.head == len(await db.tail(9)) == 2
            return "trash" if db.info.trashed else "kept"
    except SessionNotFound:
        return "gone"


def act(tell, step, verb, opened, infos):
    """Do that, and be killed at that step if any."""

    async def acting():
        async with opened() as store:
            await verb(tell, store, infos)

    dying.die_at(step)
    anyio.run(acting)


def play(opened, step):
    """One pruning that is killed at that step, and the next one: whether the first was killed, and what was wrong."""
    from kiro_core.testing.store_samples import session

    infos = {kind: session(**fields) for kind, fields in KINDS.items()}
    begun = forked(act, 0, begin, opened, infos)
    status, _ = forked(act, step, prune, opened, infos)
    left = forked(act, 0, look, opened, infos)
    faults = [f"step {step}: {fault}" for (fault,) in left.told]
    failed = begun.status or left.status or status not in (0, -signal.SIGKILL)
    return status != 0, [*faults, f"step {step}: a part failed; stderr has why"] if failed else faults


def main():
    """Try steps, each in a folder of its own, until one is not reached any more."""
    order = json.loads(sys.argv[1])
    dying.install()
    warm_up()
    from kiro_core.catalog import Choice
    from kiro_core.registry import Registry

    stores, kills, faults = Registry(only={"files"}).stores, 0, []
    for step in count(1, order["stride"]):
        root = Path(order["root"]) / str(step)
        killed, found = play(partial(stores.open, Choice("files", {"root": str(root)})), step)
        kills, faults = kills + killed, faults + found
        if not killed:
            sys.stdout.write(json.dumps({"kills": kills, "faults": faults}))
            return


if __name__ == "__main__":
    main()
