"""Agents that flood, are deaf, die badly or speak of what is not theirs: only their own turns suffer."""

import json
import os
import signal

import anyio
import pytest

from kiro_core.errors import AgentTimeout
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient

DEAF = "time.sleep(1000)"
MORE_THAN_A_PIPE_HOLDS = "y" * 500_000
IMPATIENT = {"control_s": 0.5, "close_s": 1}


def said(session, text):
    update = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}
    return "/raw " + json.dumps({"method": "session/update", "params": {"sessionId": session, "update": update}})


async def test_a_turn_of_an_agent_that_does_not_even_read_its_prompt_can_be_cancelled(opened_desk, scripted):
    with anyio.fail_after(20):
        async with opened_desk(
            RecordingClient(), engine_settings={"x": scripted(opened=DEAF)}, engine="x", limits=IMPATIENT
        ) as office:
            session = await office.start()
            turn = await office.ask(session, MORE_THAN_A_PIPE_HOLDS)
            await anyio.wait_all_tasks_blocked()
            await office.cancel(session)
            assert (await turn.settled()).result["stopReason"] == "cancelled"


async def test_a_turn_of_an_agent_that_does_not_even_read_its_prompt_is_told_as_silent(opened_desk, scripted):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(
            client,
            engine_settings={"x": scripted(opened=DEAF)},
            engine="x",
            limits={**IMPATIENT, "silence_s": 0.2, "end_silent_turns": True},
        ) as office:
            session = await office.start()
            response = await office.prompt(session, MORE_THAN_A_PIPE_HOLDS)
            assert response.result["stopReason"] == "cancelled"
            assert "has not been heard" in client.text(session)


async def test_a_cancel_to_an_agent_that_reads_nothing_does_not_hold_up_its_client(opened_desk, scripted):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(
            client, engine_settings={"x": scripted(prompt=f"tell('begun'); {DEAF}")}, engine="x", limits=IMPATIENT
        ) as office:
            session = await office.start()
            turn = await office.ask(session, "hello")
            await client.until(lambda c: "begun" in c.text(session))
            with pytest.raises(AgentTimeout):
                await office.agent.call(Frame.of("_ask", {"sessionId": session, "x": MORE_THAN_A_PIPE_HOLDS}, id=0))
            with anyio.fail_after(5):
                await office.cancel(session)
            assert (await turn.settled()).result["stopReason"] == "cancelled"


async def test_an_agent_that_reads_nothing_can_be_closed(opened_desk, scripted):
    with anyio.fail_after(20):
        async with opened_desk(
            RecordingClient(), engine_settings={"x": scripted(opened=DEAF)}, engine="x", limits=IMPATIENT
        ) as office:
            session = await office.start()
            turn = await office.ask(session, MORE_THAN_A_PIPE_HOLDS)
            await anyio.wait_all_tasks_blocked()
            await office.close(session)
            assert (await turn.settled()).result["stopReason"] == "cancelled"


async def test_an_agent_that_floods_noise_while_it_reads_nothing_still_ends_its_turn(opened_desk, scripted):
    noise = "sys.stdout.write('debug: a line of a log\\n' * 20000); sys.stdout.flush(); tell('done')"
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": scripted(prompt=noise)}, engine="x") as office:
            session = await office.start()
            assert (await office.prompt(session, "hello")).result["stopReason"] == "end_turn"
            assert client.text(session) == "done"
            assert len(await office.entries(session, "noise")) == 20000


async def test_an_agent_that_asks_without_end_and_reads_no_answer_harms_only_its_own_turn(opened_desk, scripted):
    questions = "while True: say(id=1, method='fs/read_text_file', params={'sessionId': 's', 'path': '/x'})"
    with anyio.fail_after(30):
        async with opened_desk(
            RecordingClient(), engine_settings={"x": scripted(prompt=questions)}, engine="x", limits=IMPATIENT
        ) as office:
            session = await office.start()
            turn = await office.ask(session, "hello")
            other = await office.new(engine="rehearsal")
            assert (await office.prompt(other["sessionId"], "hello")).result["stopReason"] == "end_turn"
            await office.cancel(session)
            assert (await turn.settled()).result["stopReason"] == "cancelled"
            await office.close(session)


async def test_an_answer_to_nothing_that_was_asked_is_dropped(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            stray = '/raw {"id":4711,"result":{"stopReason":"refusal"}}'
            assert (await office.prompt(session, stray)).result["stopReason"] == "end_turn"


async def test_the_time_to_start_is_for_the_whole_start(opened_desk, scripted):
    half = "time.sleep(0.8)"
    with anyio.fail_after(20):
        async with opened_desk(
            RecordingClient(),
            engine_settings={"x": scripted(initialize=half, new=half)},
            engine="x",
            limits={"start_s": 1},
        ) as office:
            with pytest.raises(AgentTimeout):
                await office.start()


async def test_an_agent_that_is_killed_while_a_question_is_open_leaves_no_question_without_an_answer(opened_desk):
    async def never(_):
        await anyio.Event().wait()

    client = RecordingClient(answer=never)
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            pid = await office.pid(session)
            turn = await office.ask(session, "/permission delete it")
            await client.until(lambda c: c.questions)
            os.kill(pid, signal.SIGKILL)
            assert (await turn.settled()).error["data"]["code"] == "AGENT_GONE"
            kinds = [item.kind for item in await office.entries(session, "question", "answer")]
            assert kinds == ["question", "answer"]


async def test_a_session_whose_agent_has_hung_up_gets_another_one(opened_desk, scripted):
    hang_up = "signal.signal(signal.SIGTERM, signal.SIG_IGN); os.close(1); time.sleep(1000)"
    with anyio.fail_after(30):
        async with opened_desk(
            RecordingClient(), engine_settings={"x": scripted(prompt=hang_up)}, engine="x", limits=IMPATIENT
        ) as office:
            session = await office.start()
            for _ in range(2):
                assert (await office.prompt(session, "hello")).error["data"]["code"] == "AGENT_GONE"
            first, second = await office.entries(session, "process_begun")
            assert first.value["process"] != second.value["process"]


async def test_an_agent_cannot_speak_in_another_session_of_the_desk(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session, victim = await office.start(), await office.start()
            await office.prompt(session, f"{said(victim, 'forged')}\n{said(session, 'forged')}\n/echo honest")
            await office.prompt(victim, "/echo mine")
            assert client.text(victim) == "mine"
            assert client.text(session) == "honest"
            assert [frame for frame in client.frames if b"forged" in frame.raw and frame.session == victim] == []


async def test_an_update_of_a_helper_session_of_the_agents_own_keeps_its_id(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            helper = said("helper-1", "from the helper")
            await office.prompt(session, f"{helper}\n/echo from the session")
            assert helper.removeprefix("/raw ").encode() in [frame.raw for frame in client.frames]
            assert client.text("helper-1") == "from the helper"
            assert client.text(session) == "from the session"


async def test_history_that_an_agent_sends_behind_its_answer_to_the_load_is_no_news_either(opened_desk, scripted):
    able = "answers['initialize'].update(agentCapabilities={'loadSession': True})"
    late = {"_x/now": "tell('said long ago')", "prompt": "tell('news')"}
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client, engine_settings={"x": scripted(initialize=able, **late)}, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await office.close(session)
            client.frames.clear()
            await office.load(session)
            await office.call("_x/now", session)
            await office.prompt(session, "and now?")
            assert client.text(session) == "newsnews"
