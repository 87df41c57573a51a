"""A desk that kills itself at one point in the life of a member: `killed_company.py POINT CWD` prints the session."""

import os
import signal
import sys
from pathlib import Path

import anyio

sys.path.append(str(Path(__file__).parent))

from company import SAYS, SLEEPS, company
from crew_office import Office

from kiro_core import Registry, load_settings, open_desk
from kiro_core.crew.members import results


def _die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


AT = {"ended": "record_open", "recorded": "tell_parent", "told": "settle"}


async def main(point, cwd):
    """Spawn one member, and die."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def opened():
        async with open_desk(load_settings({}), Registry(), engine="rehearsal") as desk:
            yield Office(desk, cwd)

    async with company(opened, cwd) as here:
        sys.stdout.write(f"{here.main}\n")
        sys.stdout.flush()
        if point in AT:
            setattr(results, AT[point], _die)
        await here.spawn(SLEEPS if point == "working" else f"{SAYS}four", name="Ada", persistent=True)
        if point == "spawned":
            _die()
        if point == "working":
            await here.working("Ada")
            _die()
        await anyio.sleep_forever()


anyio.run(main, sys.argv[1], Path(sys.argv[2]))
