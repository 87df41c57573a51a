"""A session outlives its agent: one that ends by itself is started again when it is needed, and given up in the end."""

import os
import shlex
import signal
import sys

import anyio
import pytest

from kiro_core.errors import EngineNotFound, LaunchFailed, SessionNotFound
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient


async def kill(office, session):
    """Kill a session's idle agent, and wait until that is on record."""
    os.kill(await office.pid(session), signal.SIGKILL)
    await office.recorded(session, "process_ended")


async def notices(office, session, kind):
    return [e.value for e in await office.entries(session, "notice") if e.value["notice"] == kind]


async def test_an_idle_agent_that_dies_is_told_and_back_for_the_next_prompt(opened_desk, tmp_path):
    client = RecordingClient()
    engines = {"x": ["--memory", str(tmp_path / "memory")]}
    with anyio.fail_after(30):
        async with opened_desk(client, engines=engines, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await kill(office, session)
            assert (await office.prompt(session, "again")).result["stopReason"] == "end_turn"
            (told,) = await notices(office, session, "agent_gone")
            assert "signal 9" in told["text"]
            assert "The next prompt starts it again." in told["text"]
            assert len(await office.entries(session, "process_begun")) == 2
            assert not await office.entries(session, "context_reset"), "it has resumed its own session"


async def test_an_agent_that_dies_before_anything_was_said_begins_anew_without_a_word_about_context(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await kill(office, session)
            assert (await office.prompt(session, "hello")).result["stopReason"] == "end_turn"
            assert not await office.entries(session, "context_reset")


async def test_an_option_that_is_set_while_there_is_no_agent_starts_it(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            answer = await office.new()
            session = answer["sessionId"]
            (model,) = [option for option in answer["configOptions"] if option["id"] == "model"]
            other = next(o["value"] for o in model["options"] if o["value"] != model["currentValue"])
            await kill(office, session)
            assert (await office.set(session, "model", other))["model"]["currentValue"] == other
            assert (await office.desk.info(session)).model == other


async def test_what_was_chosen_and_allowed_is_still_so_with_the_agent_that_is_started_again(opened_desk, tmp_path):
    client = RecordingClient(answer=always)
    engines = {"x": ["--modes", "slow,fast", "--with", "mode-option", "--memory", str(tmp_path / "memory")]}
    with anyio.fail_after(30):
        async with opened_desk(client, engines=engines, engine="x") as office:
            session = await office.start()
            await office.set(session, "mode", "fast")
            await office.prompt(session, f"/write {tmp_path}/a one")
            await kill(office, session)
            before = len(client.text(session))
            await office.prompt(session, f"/write {tmp_path}/b two\n/say-choices")
            assert '"mode": "fast"' in client.text(session)[before:]
            assert len(await office.entries(session, "question")) == 1
            shown = [frame for frame in client.frames if b"config_option_update" in frame.raw]
            assert shown, "what can be chosen is told again"


async def always(frame):
    return Frame.answer({"outcome": {"outcome": "selected", "optionId": "allow_always"}})


async def test_a_crash_loop_backs_off_and_gives_up_with_a_reason(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(60):
        async with opened_desk(client, limits={"max_restarts": 2}) as office:
            session = await office.start()
            for _ in range(3):
                assert (await office.prompt(session, "/die 7")).error["data"]["code"] == "AGENT_GONE"
            await office.ended(session)
            with pytest.raises(SessionNotFound):
                await office.ask(session, "anybody?")
            (told,) = await notices(office, session, "agent_given_up")
            (closed,) = await office.entries(session, "closed")
            assert told["text"] == closed.value["reason"]
            assert "ended 3 times in a row and is not started again" in closed.value["reason"]
            assert "status 7" in closed.value["reason"]
            await office.load(session)
            assert (await office.prompt(session, "back")).result["stopReason"] == "end_turn"


async def test_a_turn_that_is_finished_makes_a_crash_forgotten(opened_desk):
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient(), limits={"max_restarts": 1}) as office:
            session = await office.start()
            for _ in range(3):
                assert (await office.prompt(session, "/die 7")).failed
                assert not (await office.prompt(session, "fine")).failed


async def test_a_program_that_cannot_be_started_again_fails_the_prompt_and_says_why(opened_desk, tmp_path):
    program = tmp_path / "agent"
    program.symlink_to("/bin/sh")
    command = [str(program), "-c", f"exec {sys.executable} -P -m kiro_core.rehearsal"]
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": {"command": command}}, engine="x") as office:
            session = await office.start()
            program.unlink()
            await kill(office, session)
            error = (await office.prompt(session, "hello")).error
            assert error["data"]["code"] == LaunchFailed.code
            assert "There is no program" in error["message"]
            program.symlink_to("/bin/sh")
            assert not (await office.prompt(session, "hello")).failed


async def test_a_cancel_ends_a_turn_that_waits_for_an_agent_that_starts(opened_desk, scripted):
    client = RecordingClient()
    engine = scripted("{}", initialize="time.sleep(30) if os.path.exists('slow') else None")
    with anyio.fail_after(25):
        async with opened_desk(client, engine_settings={"x": {**engine}}, engine="x", limits={"close_s": 2}) as office:
            session = await office.start()
            (office.cwd / "slow").touch()
            pid = (await office.entries(session, "process_begun"))[0].value["process"].split()[1]
            os.kill(int(pid), signal.SIGKILL)
            await office.recorded(session, "process_ended")
            turn = await office.ask(session, "hello")
            await office.cancel(session)
            assert (await turn.settled()).result["stopReason"] == "cancelled"
            assert [e.value["state"] for e in await office.entries(session, "turn_ended")] == ["cancelled"]
            assert not await office.entries(session, "turn_begun"), "it was never sent"


async def test_prompts_that_wait_behind_a_crash_are_sent_to_the_next_agent_in_order(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            session = await office.start()
            turns = [await office.ask(session, text) for text in ("/die 3", "/echo one.", "/echo two.")]
            assert (await turns[0].settled()).failed
            for turn in turns[1:]:
                assert (await turn.settled()).result["stopReason"] == "end_turn"
            assert client.text(session).find("one.") < client.text(session).find("two.")
            assert len(await office.entries(session, "process_begun")) == 2


async def test_a_session_whose_program_was_missing_goes_on_when_it_is_back(opened_desk, scripted, tmp_path):
    engine = scripted(prompt="tell('here')")
    program = tmp_path / "agent"
    program.write_text(f"#!/bin/sh\nexec {shlex.join(engine['command'])}\n")
    program.chmod(0o700)
    settings = {"x": {**engine, "command": [str(program)]}}
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient(), engine_settings=settings, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "hello")
        program.rename(tmp_path / "away")
        async with opened_desk(RecordingClient(), engine_settings=settings, engine="x") as office:
            await office.load(session)
            for _ in range(2):
                with pytest.raises(EngineNotFound):
                    await office.prompt(session, "still there?")
            (tmp_path / "away").rename(program)
            assert (await office.prompt(session, "and now?")).result["stopReason"] == "end_turn"
