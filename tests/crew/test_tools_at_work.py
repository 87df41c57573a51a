"""Agents as real processes start the program that they are given, and have their crews work through it."""

import json
from contextlib import asynccontextmanager

import anyio
import pytest
from crew_office import stage

from kiro_core import Frame
from kiro_core.testing import RecordingClient
from kiro_core.types import SessionId

BOUND_S = 60


@pytest.fixture
def office(opened_desk):
    """`async with office() as office`: all of its sessions have the tools."""

    @asynccontextmanager
    async def opened(**settings):
        client = RecordingClient()
        with anyio.fail_after(BOUND_S):
            desk = opened_desk(face="crew", crew={"for_agents": "all", **settings})
            async with desk as office, office.desk.attach(client) as office.agent:
                office.client = client
                yield office

    return opened


def calling(tool, **arguments):
    """A prompt that has the rehearsal agent call a tool, and say what that answers."""
    return f"/mcp crew {tool} {json.dumps(arguments)}"


async def begin(office, session, text):
    params = {"sessionId": session, "prompt": [{"type": "text", "text": text}]}
    return await office.agent.prompt(Frame.of("session/prompt", params, id=0))


async def told(office, session, tool, **arguments):
    """What a session's agent is told by a tool."""
    before = len(office.client.text(session))
    await (await begin(office, session, calling(tool, **arguments))).settled()
    return office.client.text(session)[before:]


async def test_an_agent_has_a_crew_work_and_is_told_what_it_came_to(office):
    async with office() as place:
        session = await place.start(place.agent)
        stages = [
            {"name": "look", "prompt_template": "/echo {task}"},
            {"name": "tell", "prompt_template": "/echo so it is", "depends_on": ["look"]},
        ]
        said = await told(place, session, "subagent", task="seven beans", stages=stages)
        assert "look: succeeded" in said
        assert "so it is" in said
        [run] = await place.crew.runs()
        assert (run.parent, run.cwd) == (session, str(place.cwd))


async def test_an_agent_spawns_a_session_and_waits_for_its_result(office):
    async with office() as place:
        session = await place.start(place.agent)
        task = calling("summary", task_result="seven beans")
        spawned = await told(place, session, "session_management", command="spawn_session", task=task, name="Bob")
        assert spawned.startswith("Bob (")
        assert "seven beans" in await told(place, session, "session_management", command="wait", timeout_s=30)
        [member] = await place.crew.members(session, "all")
        assert (member.name, member.outcome, member.result) == ("Bob", "succeeded", "seven beans")


async def test_a_result_is_on_record_in_the_turn_that_told_it(office):
    async with office() as place:
        session = await place.start(place.agent)
        await told(place, session, "summary", task_result="seven beans", task_description="Count")
        [entry] = await place.entries(session, "crew_summary")
        assert (entry.value["text"], entry.value["description"]) == ("seven beans", "Count")
        [begun] = await place.entries(session, "turn_begun")
        assert entry.turn == begun.turn


@pytest.mark.parametrize(
    "command", ["send_message", "interrupt", "inject_context", "get_session_status", "cancel_session"]
)
async def test_a_session_of_another_tree_cannot_be_reached_by_its_id(office, command):
    async with office() as place:
        mine, theirs = await place.start(place.agent), await place.start(place.agent)
        more = {"message": "Do it.", "context": "Know it."}
        said = await told(place, mine, "session_management", command=command, target=theirs, **more)
        assert said.startswith("CREW_REFUSED: ")
        assert theirs in place.desk.live


async def test_at_the_greatest_depth_an_agent_spawns_nothing(office):
    async with office(max_depth=0) as place:
        session = await place.start(place.agent)
        for tool, arguments in (
            ("session_management", {"command": "spawn_session", "task": "x"}),
            ("subagent", {"task": "x", "stages": [{"name": "a", "prompt_template": "x"}]}),
        ):
            said = await told(place, session, tool, **arguments)
            assert said.startswith(("CREW_REFUSED: ", "INVALID_COMMAND: "))


async def test_a_session_ends_while_its_agent_waits(office):
    async with office() as place:
        session = await place.start(place.agent)
        await told(place, session, "session_management", command="spawn_session", task="/sleep 600")
        turn = await begin(place, session, calling("session_management", command="wait", timeout_s=600))
        await place.client.until(lambda client: "@crew/session_management" in str(client.updates(session)[-1:]))
        await place.agent.close(Frame.of("session/close", {"sessionId": session}, id=0))
        assert (await turn.settled()).result["stopReason"] == "cancelled"
        assert session not in place.desk.live


SLEEPING = [{"name": f"s{number}", "prompt_template": "/sleep 600"} for number in range(3)]


async def test_what_an_agent_begins_is_bounded_with_its_tree_seen_in_it_and_ended(office):
    async with office(max_parallel=2, max_members=4) as place:
        session = await place.start(place.agent)
        asked = {"task": "beans", "stages": SLEEPING, "max_parallel": 100, "mode": "background"}
        assert "has begun" in await told(place, session, "subagent", **asked)
        [run] = [info.id for info in await place.crew.runs()]
        await place.until(run, lambda view: sum(one.session != "" for one in view.stages) == 2)
        assert "may be 4" in await told(place, session, "subagent", **asked)
        bob = await place.crew.spawn(session, "/sleep 600", name="Bob")
        assert (await place.crew.status(session, "Bob")).doing == "waits for a free place"
        assert len(place.desk.live) == 3
        listed = await told(place, session, "session_management", command="list_sessions")
        for line in (f"{run[:8]} [working]", f"{run[:8]}/s0 [working]", f"{run[:8]}/s2 [blocked]", "Bob [blocked]"):
            assert line in listed
        assert "0 of 3" in await told(place, session, "session_management", command="get_session_status", target=run)
        ended = await told(place, session, "session_management", command="cancel_session", target=run)
        assert ended == f"{run[:8]} is terminated."
        while not (bob.session in place.desk.live and len(place.desk.live) == 2):
            await anyio.lowlevel.checkpoint()
        assert (await place.crew.status(session, run)).outcome == "cancelled"
        assert not place.crew.driving.live


async def test_who_waits_for_a_run_takes_no_place(office):
    async with office(max_parallel=1) as place:
        session = await place.start(place.agent)
        task = calling("subagent", task="x", stages=[{"name": "a", "prompt_template": "/echo seven"}])
        await place.crew.spawn(session, task, name="Bob")
        [bob] = await place.crew.wait(session, ["Bob"], timeout_s=BOUND_S)
        assert "seven" in bob.result


@pytest.mark.parametrize("ending", ["close", "cancel"])
async def test_a_run_ends_with_who_asked_for_it_which_stays_while_it_goes_on(office, ending):
    async with office() as place:
        session = await place.start(place.agent)
        bob = await place.crew.spawn(session, "/sleep 600", name="Bob")
        while bob.session not in place.desk.live or not place.desk.live[bob.session].running_turn:
            await anyio.lowlevel.checkpoint()
        run = await place.begin(stage("a", "/sleep 600"), parent=bob.session)
        await place.until(run, lambda view: view.stages[0].session)
        assert place.crew.ending.occupied(bob.session)
        if ending == "close":
            await place.agent.close(Frame.of("session/close", {"sessionId": session}, id=0))
        else:
            await place.crew.end(session, "Bob")
        assert not place.crew.driving.live
        assert (await place.crew.report(run))["outcome"] == "cancelled"
        assert bob.session not in place.desk.live


@pytest.mark.parametrize("mode", ["background", "blocking"])
async def test_who_asked_for_a_run_that_was_cut_off_with_its_desk_is_told_and_gets_its_report_later(office, mode):
    async with office() as place:
        session = await place.start(place.agent)
        asked = {"task": "beans", "stages": [{"name": "a", "prompt_template": "/sleep 600"}], "mode": mode}
        await begin(place, session, calling("subagent", **asked))
        while not place.crew.driving.live:
            await anyio.lowlevel.checkpoint()
        [run] = place.crew.driving.live
        await place.until(run, lambda view: view.stages[0].session)
        while not (await place.desk.info(SessionId(session))).crew.get("runs"):
            await anyio.lowlevel.checkpoint()
    async with office() as place:
        params = {"sessionId": session, "cwd": str(place.cwd), "mcpServers": []}
        await place.agent.open(Frame.of("session/resume", params, id=0), replay=False)
        inbox = place.desk.live[session].inbox
        while not inbox.unread:
            await inbox.changed.wait()
        [letter] = inbox.unread
        assert "can go on with it" in letter.text
        await place.crew.resume(run, skip=["a"])
        while len(inbox.unread) < 2 and not place.desk.live[session].running_turn:
            await inbox.changed.wait()
        await place.until(run, lambda _: False)
        while (await place.desk.info(SessionId(session))).crew.get("runs"):
            await anyio.lowlevel.checkpoint()
