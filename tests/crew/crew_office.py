"""What tests ask of a desk that runs crews."""

import json
import sys
from contextlib import aclosing
from pathlib import Path

from kiro_core.frames import Frame
from kiro_core.journal import entry

DESK = Path(__file__).parents[1] / "desk"
SCRIPTED = [sys.executable, "-P", str(DESK / "scripted_agent.py")]


def scripted(**code):
    """The settings of an engine that does as `scripted_agent.py` explains."""
    return {"command": [*SCRIPTED, json.dumps(code)]}


def stage(name, prompt, *before, **more):
    """A stage of a crew."""
    return {"id": name, "prompt": prompt, "depends_on": list(before), **more}


class Office:
    """A desk, and what a test asks of the runs of its crews."""

    def __init__(self, desk, cwd):
        self.desk, self.crew, self.cwd = desk, desk.crew, cwd

    async def begin(self, *stages, client=None, parent="", task="", hops=0, **crew):
        given = {"name": "test", "stages": list(stages), **crew}
        return await self.crew.run(given, cwd=self.cwd, client=client, parent=parent, task=task, hops=hops)

    async def ended(self, run):
        """Its report, once nobody drives it any more."""
        await self.until(run, lambda _: False)
        return await self.crew.report(run)

    async def finished(self, *stages, **more):
        """The report of a crew that is run to its end."""
        return await self.ended(await self.begin(*stages, **more))

    async def until(self, run, happened):
        """The first view of a run of which that is true, else the last one."""
        async with aclosing(self.crew.follow(run)) as views:
            async for view in views:
                if happened(view):
                    break
        return view

    async def entries(self, session, *kinds):
        """What is on record, of some kinds."""
        return [item for item in [entry(record) async for record in self.desk.read(session)] if item.kind in kinds]

    async def start(self, agent):
        """A session of a client that is attached; its id."""
        answer = await agent.new(Frame.of("session/new", {"cwd": str(self.cwd), "mcpServers": []}, id=0))
        return answer.result["sessionId"]


def outcomes(report):
    return {each["id"]: each["outcome"] for each in report["stages"]}


def found(report, name):
    return next(each for each in report["stages"] if each["id"] == name)


def phases(view):
    return {each.id: each.phase for each in view.stages}
