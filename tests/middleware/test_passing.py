"""Middlewares see, rewrite and keep out what passes between a session and its agent program, in their order."""

import anyio
import pytest
from scripted_layers import Doing, layers, rewritten, said

from kiro_core import Frame
from kiro_core.cli.transcript import transcript
from kiro_core.errors import Vetoed
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo, SessionId

TOLD = PeerInfo("told", abilities=frozenset({"notices"}))


def marking(name):
    """Marks whatever passes with its name: `+` in what is said becomes `NAME+`."""

    async def notify(client, frames):
        await client.notify([rewritten(frame, "+", f"{name}+") for frame in frames])

    async def request(client, frame):
        return await client.request(rewritten(frame, "+", f"{name}+"))

    async def prompt(agent, frame):
        return await agent.prompt(rewritten(frame, "+", f"{name}+"))

    def record(value):
        return said(value, "+", f"{name}+") if name not in str(value) else value

    return layers(lambda _: Doing(notify, request, prompt, record=record))


async def test_the_first_is_next_to_the_client_and_the_last_next_to_the_agent(opened_house):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_house(client, near=marking("near"), far=marking("far")) as house:
            session = await house.start()
            await house.prompt(session, "/echo +")
            assert client.text(session) == "nearfarfarnear+"
            (prompt,) = await house.entries(session, "prompt")
            assert prompt.frame.params["prompt"][0]["text"] == "/echo farnear+"


async def test_what_was_rewritten_is_what_is_recorded_shown_and_asked(opened_house):
    async def notify(client, frames):
        await client.notify([rewritten(frame, "apples", "pears") for frame in frames])

    async def request(client, frame):
        await client.request(rewritten(frame, "apples", "pears"))
        no = next(option for option in frame.params["options"] if option["kind"] == "reject_once")
        return Frame.answer({"outcome": {"outcome": "selected", "optionId": no["optionId"]}})

    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_house(client, fruit=layers(lambda _: Doing(notify, request))) as house:
            session = await house.start()
            await house.prompt(session, "/echo apples\n/permission eat apples")
            assert "apples" not in str(client.updates(session))
            assert [question.params["toolCall"]["title"] for question in client.questions] == ["eat pears"]
            updates = [item.frame for item in await house.entries(session, "update")]
            assert "pears" in str([frame.params for frame in updates])
            assert "apples" not in str([frame.params for frame in updates])
            assert "Permission: reject_once" in client.text(session), "the agent got another answer"


async def test_who_only_looks_changes_nothing(opened_house):
    seen = []

    async def notify(client, frames):
        seen.extend(frames)
        await client.notify(frames)

    async def prompt(agent, frame):
        seen.append(frame)
        return await agent.prompt(frame)

    async def settled(turn):
        seen.append(response := await turn.settled())
        return response

    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_house(client, watch=layers(lambda _: Doing(notify, None, prompt, settled))) as house:
            session = await house.start()
            outcome = await house.prompt(session, "/echo hello")
            assert client.text(session) == "hello"
            assert seen[-1].result == outcome.result
            texts = [frame.params.get("prompt") for frame in seen if frame.method == "session/prompt"]
            assert texts == [[{"type": "text", "text": "/echo hello"}]]
            assert any("hello" in str(frame.params) for frame in seen if frame.method == "session/update")


async def test_updates_that_are_vetoed_are_counted_and_kept_out(opened_house):
    async def notify(client, frames):
        fine = [frame for frame in frames if b"plum" not in frame.raw]
        await client.notify(fine)
        if len(fine) < len(frames):
            raise Vetoed("No plums here.")

    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_house(client, strict=layers(lambda _: Doing(notify))) as house:
            session = await house.start()
            outcome = await house.prompt(session, "/echo before \n/batch\n/echo my plum\n/echo after")
            assert outcome.result["stopReason"] == "end_turn"
            assert client.text(session).startswith("before ")
            assert client.text(session).endswith("after")
            kept_out = await house.entries(session, "kept_out")
            assert sum(item.value["updates"] for item in kept_out) == 1
            assert {(item.value["by"], item.value["reason"]) for item in kept_out} == {("strict", "No plums here.")}
            updates = await house.entries(session, "update")
            assert "plum" not in str([item.value for item in updates])
            told = [item async for item in house.desk.told(SessionId(session)) if item.kind == "kept out"]
            assert [item.text for item in told] == ["No plums here."] * len(told) != []
            lines = [line async for line in transcript(house.desk.read(SessionId(session)))]
            assert "record: updates kept out by 'strict': 1. No plums here." in lines


@pytest.mark.parametrize("how", ["veto", "late"])
async def test_a_question_that_is_vetoed_or_times_out_is_denied(opened_house, how):
    async def request(client, frame):
        if frame.method == "session/request_permission":
            if how == "late":
                await anyio.sleep_forever()
            raise Vetoed("Nothing is deleted here.", hint="Ask for something else.")
        return await client.request(frame)

    client = RecordingClient(TOLD)
    settings = {"limits": {"middleware_s": 0.5}} if how == "late" else {}
    with anyio.fail_after(20):
        async with opened_house(client, settings=settings, strict=layers(lambda _: Doing(None, request))) as house:
            session = await house.start()
            outcome = await house.prompt(session, "/permission delete it")
            assert outcome.result["stopReason"] == "end_turn"
            assert client.questions == [], "nobody was asked"
            assert "Permission: reject_once" in client.text(session), "the agent was told no"
            (decision,) = await house.entries(session, "decision")
            reason = "Nothing is deleted here."
            if how == "late":
                reason = "The middleware 'strict' took longer than 0.5 s of its own at client.request."
            told = {name: decision.value[name] for name in ("effect", "rule", "origin", "reason", "outcome")}
            wanted = {"effect": "deny", "rule": "strict", "origin": "middleware", "reason": reason, "outcome": "denied"}
            assert told == wanted
            assert house.notices(session)["tool_denied"] == f"Not allowed: delete it. {reason}"
            assert (await house.prompt(session, "/echo on")).result["stopReason"] == "end_turn"


async def test_any_other_request_that_is_vetoed_is_an_error_for_the_agent(opened_house, tmp_path):
    async def request(client, frame):
        raise Vetoed("Nothing is read here.")

    (tmp_path / "file").write_text("hello")
    client = RecordingClient(TOLD)
    with anyio.fail_after(20):
        async with opened_house(client, strict=layers(lambda _: Doing(None, request))) as house:
            session = await house.start()
            await house.prompt(session, '/request fs/read_text_file {"path": "%s"}' % (tmp_path / "file"))
            await house.prompt(session, "/request elicitation/create {}")
            assert '"code": "VETOED"' in client.text(session)
            assert "Nothing is read here." in client.text(session)
            assert '{"result": {"action": "cancel"}}' in client.text(session)
            decisions = [item.value for item in await house.entries(session, "decision")]
            assert [(each["method"], each["rule"]) for each in decisions] == [
                ("fs/read_text_file", "strict"),
                ("elicitation/create", "strict"),
            ]


async def test_a_prompt_that_is_vetoed_ends_its_turn_as_refused_and_never_reaches_the_agent(opened_house):
    async def prompt(agent, frame):
        if "plum" in str(frame.params):
            raise Vetoed("No plums, please.", hint="Say pears.")
        return await agent.prompt(frame)

    client = RecordingClient(TOLD)
    with anyio.fail_after(20):
        async with opened_house(client, strict=layers(lambda _: Doing(prompt=prompt))) as house:
            session = await house.start()
            outcome = await house.prompt(session, "/echo plum")
            assert outcome.result == {"stopReason": "refusal"}
            assert client.text(session) == ""
            assert house.notices(session)["prompt_vetoed"] == "The prompt was not sent. No plums, please. Say pears."
            (ended,) = await house.entries(session, "turn_ended")
            assert ended.value == {"state": "settled", "open": [], "stopReason": "refusal"}
            assert (await house.prompt(session, "/echo pears")).result["stopReason"] == "end_turn"
            assert client.text(session) == "pears"


async def test_a_letter_that_is_vetoed_is_not_told_again_and_keeps_nothing_else_out(opened_house):
    got = []

    async def prompt(agent, frame):
        got.append(str(frame.params["prompt"]))
        if "plum" in got[-1]:
            raise Vetoed("No plums, please.")
        return await agent.prompt(frame)

    client = RecordingClient(TOLD)
    with anyio.fail_after(20):
        async with opened_house(client, strict=layers(lambda _: Doing(prompt=prompt))) as house:
            session = SessionId(await house.start())
            await house.desk.crew.send("", session, "a plum")
            await house.recorded(session, "turn_ended")
            assert (await house.prompt(session, "/echo pears")).result["stopReason"] == "end_turn"
            assert client.text(session) == "pears"
            assert ["plum" in each for each in got] == [True, False]
