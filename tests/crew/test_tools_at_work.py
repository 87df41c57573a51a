"""Agents as real processes start the program that they are given, and have their crews work through it."""

import json
from contextlib import asynccontextmanager

import anyio
import pytest

from kiro_core import Frame
from kiro_core.testing import RecordingClient

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
