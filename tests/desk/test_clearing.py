"""A session whose agent begins anew: it knows nothing of what was said, while the record and its readers do."""

import json

import anyio
import pytest

from kiro_core.errors import LaunchFailed
from kiro_core.session.own_methods import CLEAR, CLEAR_HISTORY
from kiro_core.testing import RecordingClient

TOLD = "tell(json.dumps([b['text'] for b in got['session/prompt']['prompt']]))"


async def prompt(office, session, text):
    """The blocks of text that the scripted agent got for a prompt."""
    before = len(office.client.text(session))
    response = await office.prompt(session, text)
    assert response.result["stopReason"] == "end_turn"
    said = office.client.text(session)[before:]
    return json.loads(said[said.index('["') :])


async def test_a_cleared_agent_is_another_process_with_another_session_that_is_told_nothing(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.prompt(session, "remember 42")
            first = (await office.desk.info(session)).agent_session
            assert (await office.call(CLEAR, session)).result == {}
            assert (await office.desk.info(session)).agent_session != first
            said = len(office.client.text(session))
            await office.prompt(session, "and now?")
            assert "42" not in office.client.text(session)[said:]
            (reset,) = await office.entries(session, "context_reset")
            assert reset.value == {"to": "nothing", "reason": "it was cleared"}
            assert "knows nothing of what was said" in json.dumps([dict(u) for u in office.client.updates(session)])


async def test_what_was_said_before_stays_forgotten_when_the_session_is_opened_again(opened_desk, scripted):
    engines = {"x": scripted(prompt=TOLD)}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="x") as office:
            session = await office.start()
            await prompt(office, session, "remember 42")
            await office.call(CLEAR, session)
            await office.close(session)
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="x") as office:
            await office.load(session)
            assert "remember 42" in json.dumps([dict(u) for u in office.client.updates(session)])
            assert await prompt(office, session, "say 7") == ["say 7"]
            await office.close(session)
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="x") as office:
            await office.load(session)
            conversation, _ = await prompt(office, session, "again")
            assert "> say 7" in conversation
            assert "42" not in conversation


async def test_a_configuration_is_told_anew_after_clearing(opened_desk, scripted, tmp_path):
    (tmp_path / ".kiro" / "agents").mkdir(parents=True)
    (tmp_path / ".kiro" / "agents" / "poet.json").write_text(json.dumps({"name": "poet", "prompt": "Rhyme."}))
    engines = {"x": scripted(prompt=TOLD)}
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="x", agent="poet") as office:
            session = await office.start()
            assert await prompt(office, session, "one") == ["Rhyme.", "one"]
            assert await prompt(office, session, "two") == ["two"]
            await office.call(CLEAR, session)
            assert await prompt(office, session, "three") == ["Rhyme.", "three"]


async def test_an_agent_that_does_not_start_again_is_not_cleared(opened_desk, scripted, tmp_path):
    flag = tmp_path / "broken"
    starting = f"if os.path.exists({str(flag)!r}): sys.exit(3)"
    engines = {"x": scripted("--resume", prompt=TOLD, initialize=starting)}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="x") as office:
            session = await office.start()
            await prompt(office, session, "remember 42")
            flag.write_text("")
            with pytest.raises(LaunchFailed):
                await office.call(CLEAR, session)
            flag.unlink()
            conversation, asked = await prompt(office, session, "and now?")
            assert "> remember 42" in conversation
            assert asked == "and now?"
            assert [entry.value["to"] for entry in await office.entries(session, "context_reset")] == ["text"]


async def test_a_history_that_is_cleared_is_marked_and_nothing_is_deleted(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.prompt(session, "remember 42")
            before = len(await office.entries(session))
            assert (await office.call(CLEAR_HISTORY, session)).result == {}
            entries = await office.entries(session)
            assert [entry.kind for entry in entries[before:]] == ["history_cleared"]
