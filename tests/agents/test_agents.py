"""What an editor sees of each real agent program through us: tools, refusals, cancels, and sessions that go on."""

import os

import anyio
import pytest
from real.installed import FOLDER

if FOLDER not in os.environ:
    pytest.skip("real agents are installed and run by `tox -e agents`", allow_module_level=True)

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


async def test_a_tool_runs_and_what_it_brought_is_told(agent):
    async with agent.session() as (client, session):
        answer = await client.prompt(session, agent.running("echo pro''of > made.txt; cat made.txt"))
        assert answer["result"]["stopReason"] == "end_turn"
        assert (agent.work / "made.txt").read_text() == "proof\n"
        assert "proof" in client.said()
        assert client.of("tool_call") or client.of("tool_call_update")
        assert bool(client.questions) == agent.program.asks
        assert bool(client.terminals.commands) == agent.program.client_terminals
        assert all(question["sessionId"] == session for question in client.questions)


async def test_a_refused_command_does_not_run_and_an_allowed_one_does(agent):
    (agent.work / "cellar").mkdir()
    removing = agent.running("rm -rf ./cellar", leaving=True)
    async with agent.session() as (client, session):
        if mode := agent.program.asking_mode:
            assert "result" in await client.ask("session/set_mode", sessionId=session, modeId=mode)
        client.choice = "reject_once"
        answer = await client.prompt(session, removing)
        assert client.questions
        assert answer["result"]["stopReason"] in {"end_turn", "cancelled", "refusal"}
        assert (agent.work / "cellar").exists()
        client.choice = "allow_once"
        answer = await client.prompt(session, removing)
        assert answer["result"]["stopReason"] == "end_turn"
        assert not (agent.work / "cellar").exists()


async def test_an_agent_gets_a_terminal_where_the_editor_has_none_and_only_when_that_is_allowed(agent):
    if not agent.program.client_terminals:
        pytest.skip(f"{agent.name} runs its commands itself")
    async with agent.session(terminals=False) as (client, session):
        await client.prompt(session, agent.running("touch made.txt"))
        assert (agent.work / "made.txt").exists()
        assert client.questions
        client.choice = "reject_once"
        await client.prompt(session, agent.running("touch refused.txt"))
        assert not (agent.work / "refused.txt").exists()
        assert client.terminals.commands == []


async def test_a_cancelled_turn_ends_and_the_next_one_is_answered(agent):
    async with agent.session() as (client, session):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_cancel_once_begun, client, session)
            answer = await client.prompt(session, "[[hang]]")
        assert answer["result"]["stopReason"] == "cancelled"
        answer = await client.prompt(session, "[[say Good evening.]]")
        assert answer["result"]["stopReason"] == "end_turn"
        assert client.said().endswith("Good evening.")


async def test_a_session_is_listed_and_goes_on_after_it_was_closed(agent):
    async with agent.session() as (client, session):
        await client.prompt(session, "[[say Good morning.]]")
        await _closed(client, session)
        [listed] = (await client.ask("session/list", cwd=str(agent.work)))["result"]["sessions"]
        assert listed["sessionId"] == session
        client.updates.clear()
        assert "result" in await client.ask("session/load", **agent.place(session))
        assert client.said("user_message_chunk").count("Good morning.") == 1
        assert client.said().count("Good morning.") == 1
        await _goes_on(client, session, agent, "[[say Good night.]]")
        assert client.said().count("Good morning.") == 1


async def test_a_session_is_resumed_without_its_history_and_deleted(agent):
    async with agent.session() as (client, session):
        await client.prompt(session, "[[say Good morning.]]")
        await _closed(client, session)
        client.updates.clear()
        assert "result" in await client.ask("session/resume", **agent.place(session))
        await _goes_on(client, session, agent, "[[say Good night.]]")
        assert "Good morning." not in client.said()
        assert "result" in await client.ask("session/delete", sessionId=session)
        assert (await client.ask("session/list"))["result"]["sessions"] == []


async def test_an_image_reaches_the_model_or_is_refused_in_a_sentence(agent):
    async with agent.session() as (client, session):
        image = {"type": "image", "mimeType": "image/png", "data": PIXEL}
        answer = await client.prompt(session, "[[say I see.]]", image)
        if "error" in answer:
            assert "image" in answer["error"]["message"]
        else:
            assert client.said().endswith("I see.")
            assert any(PIXEL.encode() in body for body in agent.model.asked) == agent.program.sees


async def test_the_table_of_engines_says_what_the_program_says_of_itself(agent):
    told = await agent.probe()
    assert told["version"] in agent.program.package
    assert told["corrected"].keys() <= {"logins"}  # they depend on how it is set up


async def _closed(client, session):
    assert "result" in await client.ask("session/close", sessionId=session)


async def _goes_on(client, session, agent, text):
    answer = await client.prompt(session, text)
    if not agent.program.goes_on and "error" in answer:
        assert agent.name in answer["error"]["message"]
        return
    assert answer["result"]["stopReason"] == "end_turn"
    assert client.said().endswith("Good night.")
    assert any(b"Good morning." in body and b"Good night." in body for body in agent.model.asked)


async def _cancel_once_begun(client, session):
    await client.until(lambda: "I begin." in client.said())
    await client.tell("session/cancel", sessionId=session)
