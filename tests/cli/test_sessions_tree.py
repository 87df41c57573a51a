"""Who spawned whom, from the command line: what is on record is enough."""

import json

import anyio

from kiro_core import Registry, load_settings, open_desk
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient


async def spawned(cwd):
    """A session with two members, and a run that it asked for; their ids by name."""
    async with (
        open_desk(load_settings({}), Registry(), engine="rehearsal") as desk,
        desk.attach(RecordingClient()) as agent,
    ):
        opening = Frame.of("session/new", {"cwd": str(cwd), "mcpServers": []}, id=0)
        main = (await agent.new(opening)).result["sessionId"]
        ada = await desk.crew.spawn(main, "/sleep 600", name="Ada")
        await desk.crew.spawn(main, "x", name="Bruno", depends_on=["Ada"])
        while not (ada.session in desk.live and desk.live[ada.session].ready):
            await anyio.lowlevel.checkpoint()
        clara = await desk.crew.spawn(ada.session, "/echo x", name="Clara")
        await desk.crew.wait(ada.session, timeout_s=20)
        crew = {"name": "notes", "stages": [{"id": "look", "prompt": "/echo x"}]}
        run = await desk.crew.run(crew, cwd=cwd, parent=main)
        async for _ in desk.crew.follow(run):
            pass
    return {"main": main, "Ada": ada.session, "Clara": clara.session, "run": run}


def test_the_tree_has_members_runs_and_stages(kiro, home, tmp_path, environment, monkeypatch):
    monkeypatch.setenv("PATH", environment["PATH"])
    ids = anyio.run(spawned, tmp_path)
    told = kiro("sessions", "tree").stdout.splitlines()
    assert [len(line) - len(line.lstrip()) for line in told] == [0, 2, 4, 2, 4, 2]
    assert told[1].split()[:2] == [ids["Ada"][:8], "Ada"]
    assert "cancelled" in told[1]
    assert told[2].split()[:2] == [ids["Clara"][:8], "Clara"]
    assert "succeeded" in told[2]
    assert told[3].split()[:3] == [ids["run"][:8], "notes", "run"]
    assert "look" in told[4]
    assert told[5].split() == ["Bruno", "cancelled"]

    (node,) = json.loads(kiro("sessions", "tree", ids["Ada"][:8], "--json").stdout)
    assert (node["session"], [each["name"] for each in node["below"]]) == (ids["Ada"], ["Clara"])
    assert kiro("sessions", "tree", "ffff").returncode == 1
