"""The SDK as the client of `kiro-core acp`: what an editor that we did not write sees of us."""

import anyio
import pytest

pytest.importorskip("acp")

from acp import RequestError
from sdk_editor import editor

REHEARSAL = ("--engine", "rehearsal")
SAYS = "This is the rehearsal agent, which repeats what it is told: "


@pytest.fixture
def remembering(place):
    """An engine whose sessions outlive its process."""
    place.engine("mem", "{python}", "-P", "-m", "kiro_core.rehearsal", "--memory", str(place.root / "memory"))
    return "--engine", "mem"


async def test_it_introduces_itself(place):
    async with editor(place, *REHEARSAL) as client:
        said = client.greeting
        assert (said.protocol_version, said.agent_info.name) == (1, "kiro_core")
        assert said.agent_capabilities.load_session
        assert said.agent_capabilities.session_capabilities.list is not None
        assert said.agent_capabilities.session_capabilities.close is not None


async def test_an_answer_is_streamed_before_the_turn_ends(place):
    async with editor(place, *REHEARSAL) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        response = await client.ask(session, "Good morning, everybody.")
        assert response.stop_reason == "end_turn"
        assert client.text(session) == SAYS + "Good morning, everybody."
        *before, last = client.received()
        assert last["result"]["stopReason"] == "end_turn"
        chunks = [m["params"]["update"]["content"]["text"] for m in before if m.get("method") == "session/update"]
        assert len(chunks) > 5
        assert "".join(chunks) == SAYS + "Good morning, everybody."


async def test_sessions_of_one_client_do_not_mix(place):
    async with editor(place, *REHEARSAL) as client:
        first = (await client.agent.new_session(cwd=place.cwd)).session_id
        second = (await client.agent.new_session(cwd=place.cwd)).session_id
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.ask, first, "one one one")
            tasks.start_soon(client.ask, second, "two two two")
        assert (client.text(first), client.text(second)) == (SAYS + "one one one", SAYS + "two two two")


@pytest.mark.parametrize("answer", ["allow_once", "allow_always", "reject_once"])
async def test_a_question_is_answered_by_the_client(place, answer):
    async with editor(place, *REHEARSAL, answer=answer) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        response = await client.ask(session, "/permission Remove the cellar")
        assert response.stop_reason == "end_turn"
        [(asked_in, call, options)] = client.questions
        assert (asked_in, call.title) == (session, "Remove the cellar")
        assert [option.kind for option in options] == ["allow_once", "allow_always", "reject_once"]
        assert client.text(session) == f"Permission: {answer}. "


async def test_a_cancelled_prompt_ends_as_cancelled(place):
    async with editor(place, *REHEARSAL) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        reason = await client.ask_and_cancel(session, "/echo asleep\n/sleep 30", lambda: client.text(session))
        assert (reason, client.text(session)) == ("cancelled", "asleep")
        assert (await client.ask(session, "/echo awake")).stop_reason == "end_turn"


async def test_a_cancel_also_ends_the_question_that_is_open(place):
    async with editor(place, *REHEARSAL, answer=None) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        assert await client.ask_and_cancel(session, "/permission", lambda: client.questions) == "cancelled"


async def test_sessions_are_listed_also_when_they_are_closed(place):
    async with editor(place, *REHEARSAL) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        await client.ask(session, "Fix the roof.\nThen the cellar.")
        await client.agent.close_session(session_id=session)
        [listed] = (await client.agent.list_sessions(cwd=place.cwd)).sessions
        assert (listed.session_id, listed.cwd, listed.title) == (session, place.cwd, "Fix the roof.")
        assert listed.updated_at
        assert (await client.agent.list_sessions(cwd=str(place.home))).sessions == []
        with pytest.raises(RequestError, match=r"No session .* is open here") as caught:
            await client.ask(session, "Still there?")
        assert caught.value.code == -32002


async def test_a_session_is_loaded_in_a_new_process_and_goes_on(place, remembering):
    async with editor(place, *remembering) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        await client.ask(session, "/echo first answer")
        await client.ask(session, "/thought hm\n/echo second answer")
    async with editor(place, *remembering) as client:
        await client.agent.load_session(cwd=place.cwd, session_id=session)
        *replayed, answer = client.received()[1:]
        assert "result" in answer
        assert [_said(message, session) for message in replayed] == [
            ("user_message_chunk", "/echo first answer"),
            ("agent_message_chunk", "first answer"),
            ("user_message_chunk", "/thought hm\n/echo second answer"),
            ("agent_thought_chunk", "hm"),
            ("agent_message_chunk", "second answer"),
        ]
        assert (await client.ask(session, "/echo third answer")).stop_reason == "end_turn"
        assert client.text(session).endswith("second answerthird answer")
    assert {"session/load result", "session/update", "session/prompt result"} <= set(client.judged)


async def test_a_session_that_no_agent_may_continue_is_read_but_not_prompted(place):
    place.settings.write_text('recovery = ["resume", "load"]\n')
    async with editor(place, *REHEARSAL) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        await client.ask(session, "/echo once")
    async with editor(place, *REHEARSAL) as client:
        await client.agent.load_session(cwd=place.cwd, session_id=session)
        assert (client.text(session, "user_message_chunk"), client.text(session)) == ("/echo once", "once")
        with pytest.raises(RequestError, match="it has no session/load; the setting `recovery` leaves out") as caught:
            await client.ask(session, "/echo twice")
        assert caught.value.data["code"] == "AGENT_UNABLE"
    assert "session/prompt error" in client.judged


async def test_requests_that_cannot_be_served_are_refused_in_a_sentence(place):
    async with editor(place, *REHEARSAL) as client:
        with pytest.raises(RequestError, match=r"There is no folder /no/such/folder\."):
            await client.agent.new_session(cwd="/no/such/folder")
        with pytest.raises(RequestError) as caught:
            await client.agent.load_session(cwd=place.cwd, session_id="nobody-knows-it")
        assert caught.value.code == -32002
        with pytest.raises(RequestError) as caught:
            await client.agent.ext_method("nobody/knows-it", {})
        assert caught.value.code == -32601


def _said(message, session):
    params = message["params"]
    assert params["sessionId"] == session
    return params["update"]["sessionUpdate"], params["update"]["content"]["text"]
