"""Run a crew of two stages, watch it, and read what is on record: also later, and from other processes."""

import sys
from contextlib import aclosing
from pathlib import Path

import anyio

from kiro_core import load_settings, open_desk
from kiro_core.ports import Desk
from kiro_core.types import SessionId, SessionQuery

CREW = {
    "name": "notes",
    "task": "/echo three changes",
    "stages": [
        {"id": "find", "prompt": "{task}"},
        {"id": "write", "prompt": "/echo Notes: {stages.find.result}", "depends_on": ["find"]},
    ],
}


async def watched(desk: Desk, run: SessionId) -> None:
    """Show how a run stands whenever that changes, until it has ended."""
    async with aclosing(desk.crew.follow(run)) as views:
        async for view in views:
            print(*(f"{stage.id}: {stage.outcome or stage.phase}" for stage in view.stages), sep=", ")
    print("the crew", (await desk.crew.report(run))["outcome"])


async def main(cut_off: str) -> None:
    """Begin a run, or go on with one that was cut off with its desk."""
    async with open_desk(load_settings(), engine="rehearsal") as desk:
        if cut_off:
            run = SessionId(cut_off)
            await desk.crew.resume(run)
        else:
            run = await desk.crew.run(CREW, cwd=Path.cwd())
        await watched(desk, run)
        page = await desk.sessions(SessionQuery(cwd=str(Path.cwd())))
        for child in reversed([info for info in page.items if info.parent == run]):
            async with aclosing(desk.told(child.id)) as told:
                said = "".join([each.text async for each in told if each.kind == "agent"])
            print(f"{child.name.partition('/')[2]} said: {said}")


anyio.run(main, "".join(sys.argv[1:]))
