"""The SDK's agent as an engine of ours: nothing that it says or is told is lost or changed on the way."""

import json
from pathlib import Path

import pytest

pytest.importorskip("acp")

from acp import RequestError, schema
from sdk_editor import editor
from sdk_shapes import judge
from sdk_wire import lines, messages

SDK = ("--engine", "sdk")
EXAMPLES = Path(__file__).parents[1] / "agentconfig" / "examples"


@pytest.fixture
def place(place):
    """A place with the agent; whatever a test did, what the agent was told is judged at its end."""
    place.sdk_engine()
    yield place
    assert {"initialize", "session/new"} <= set(judge(place.agent_wire / "received", place.agent_wire / "sent"))


async def test_it_is_introduced_and_streams_its_answer(place):
    async with editor(place, *SDK) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        response = await client.ask(session, "stream")
        assert (response.stop_reason, client.text(session)) == ("end_turn", "I stream my answer.")
        kinds = [message.get("method", "answer") for message in client.received()]
        assert kinds == ["answer", "answer", *["session/update"] * 4, "answer"]


async def test_what_it_says_arrives_byte_for_byte_but_for_the_session_id(place):
    async with editor(place, *SDK) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        await client.ask(session, "odd")
        shown = [line for line in lines(client.wire / "received") if b'"session/update"' in line]
        assert b"odd.example/extra" in shown[0]
        assert shown == [_ours(line, place, session) for line in _sent(place, b'"session/update"')]


async def test_what_it_is_asked_arrives_byte_for_byte_but_for_the_ids(place):
    async with editor(place, *SDK) as client:
        server = schema.McpServerStdio(
            name="tools", command="/bin/true", args=["-v"], env=[schema.EnvVariable(name="K", value="v")]
        )
        meta = {"odd.example/extra": {"z": 1.0, "a": None}}
        new = await client.agent.new_session(cwd=place.cwd, mcp_servers=[server], **meta)
        image = schema.ImageContentBlock(type="image", mime_type="image/png", data="AAAA")
        await client.ask(new.session_id, "stream", image)
        for method in ("session/new", "session/prompt"):
            [asked] = [m["params"] for m in messages(client.wire / "sent") if m["method"] == method]
            [told] = [m["params"] for m in messages(place.agent_wire / "received") if m.get("method") == method]
            assert {**told, "sessionId": None} == {**asked, "sessionId": None}
        [asked] = [_params(line) for line in lines(client.wire / "sent") if b'"session/prompt"' in line]
        [told] = [_params(line) for line in lines(place.agent_wire / "received") if b'"session/prompt"' in line]
        assert _ours(told, place, new.session_id) == asked


@pytest.mark.parametrize(("answer", "chosen"), [("allow_once", "selected y"), ("reject_once", "selected n")])
async def test_its_question_reaches_the_client_whole_and_the_answer_reaches_it(place, answer, chosen):
    async with editor(place, *SDK, answer=answer) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        await client.ask(session, "ask")
        assert client.text(session) == chosen
        [shown] = [_params(line) for line in lines(client.wire / "received") if b"request_permission" in line]
        [asked] = [_params(line) for line in _sent(place, b"request_permission")]
        assert shown == _ours(asked, place, session)


async def test_a_cancel_reaches_it_and_ends_its_turn(place):
    async with editor(place, *SDK) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        reason = await client.ask_and_cancel(session, "wait", lambda: client.text(session) == "waiting")
        assert reason == "cancelled"
        assert (await client.ask(session, "stream")).stop_reason == "end_turn"


async def test_a_cancel_answers_its_open_question(place):
    async with editor(place, *SDK, answer=None) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        assert await client.ask_and_cancel(session, "ask", lambda: client.questions) == "cancelled"
        assert client.text(session) == "cancelled"


async def test_a_session_goes_on_with_its_own_and_its_replay_is_not_shown_beside_ours(place):
    async with editor(place, *SDK) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        await client.ask(session, "stream")
    async with editor(place, *SDK) as client:
        await client.agent.load_session(cwd=place.cwd, session_id=session)
        assert client.text(session) == "I stream my answer."
        assert client.received()[-1]["result"].get("sessionId", session) == session
        assert (await client.ask(session, "stream")).stop_reason == "end_turn"
        assert client.text(session) == "I stream my answer." * 2
    assert "session/load result" in client.judged


@pytest.mark.parametrize(("does", "why"), [("forget", "Resource not found"), ("exit", "ended with status 0")])
async def test_what_it_has_forgotten_it_is_told_as_text_and_that_is_said(place, does, why):
    async with editor(place, *SDK) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        await client.ask(session, "stream")
    place.settings.write_text("")
    place.sdk_engine(does)
    async with editor(place, *SDK) as client:
        await client.agent.load_session(cwd=place.cwd, session_id=session)
        replayed = client.text(session)
        assert (await client.ask(session, "blocks")).stop_reason == "end_turn"
        told = client.text(session).removeprefix(replayed)
        assert f"session/load failed (The agent 'sdk' refused session/load: {why}" in told or why in told
        assert "User:\n> stream\nYou:\n> I stream my answer.\n</conversation>|blocks" in told


async def test_an_exception_in_it_is_an_error_for_the_client_and_the_session_goes_on(place):
    async with editor(place, *SDK) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        with pytest.raises(RequestError) as caught:
            await client.ask(session, "fail")
        assert caught.value.code == -32603
        assert caught.value.data == {"details": "The cellar is flooded."}
        assert (await client.ask(session, "stream")).stop_reason == "end_turn"
    assert "session/prompt error" in client.judged


async def test_its_death_in_a_turn_is_told_with_status_and_last_words(place):
    async with editor(place, *SDK) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        with pytest.raises(RequestError, match=r"ended with status 7\. Its last words: bye, cruel world") as caught:
            await client.ask(session, "die")
        data = caught.value.data
        assert (data["code"], data["status"], data["stderr"]) == ("AGENT_GONE", "status 7", "bye, cruel world")
        assert client.text(session) == "Good"
        new = await client.agent.new_session(cwd=place.cwd)
        assert (await client.ask(new.session_id, "stream")).stop_reason == "end_turn"


async def test_its_refusal_of_a_session_reaches_the_client_with_its_number(place):
    place.settings.write_text("")
    place.sdk_engine("refuse")
    async with editor(place, *SDK) as client:
        with pytest.raises(RequestError, match="sdk wants a login first: Authentication required") as caught:
            await client.agent.new_session(cwd=place.cwd)
        assert caught.value.code == -32000
        assert caught.value.data["login"] == "kiro-core engines login sdk"


def _sent(place, word):
    return [line for line in lines(place.agent_wire / "sent") if word in line]


def _ours(line, place, session):
    """A line of the agent with our session id in place of its own."""
    answers = [message.get("result", {}) for message in messages(place.agent_wire / "sent")]
    [theirs] = [answer["sessionId"] for answer in answers if "sessionId" in answer]
    return line.replace(theirs.encode(), session.encode())


def _params(line):
    """What stands in a line from its params on, which the SDK writes last."""
    return line.partition(b'"params":')[2]


async def test_it_takes_a_conversation_over_and_gives_it_back(place):
    async with editor(place, "--engine", "rehearsal") as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        await client.ask(session, "remember 42")
        await client.agent.set_config_option(session_id=session, config_id="engine", value="sdk")
        before = len(client.text(session))
        await client.ask(session, "blocks")
        assert "> remember 42" in client.text(session)[before:]
        await client.agent.set_config_option(session_id=session, config_id="engine", value="rehearsal")
        before = len(client.text(session))
        await client.ask(session, "and now?")
        assert "> blocks" in client.text(session)[before:]


@pytest.mark.parametrize("example", ["published.json", "published.md", "every-field.json"])
async def test_published_agent_configurations_run_with_it(place, example):
    agents = place.home / ".kiro" / "agents"
    agents.mkdir()
    for file in (example, "every-field-prompt.md"):
        (agents / file).write_bytes((EXAMPLES / file).read_bytes())
    named = json.loads((agents / example).read_bytes()) if example.endswith(".json") else {}
    name = named.get("name", "published")
    async with editor(place, *SDK, "--agent", name) as client:
        session = (await client.agent.new_session(cwd=place.cwd)).session_id
        await client.ask(session, "blocks")
        said = client.text(session)
        assert "blocks" in said
        assert "stands in" not in said
    [told] = [m["params"] for m in messages(place.agent_wire / "received") if m.get("method") == "session/prompt"]
    assert [block["text"] for block in told["prompt"]][-1] == "blocks"
    assert len(told["prompt"]) == (1 if name == "rust-reviewer" else 2)
