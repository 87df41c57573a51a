"""What an agent program does is judged in its own words, whatever a middleware makes of them for a person."""

import json
import sys
from pathlib import Path

import anyio
import pytest
from scripted_layers import Doing, layers, rewritten, said

from kiro_core.errors import Vetoed
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo

WORD, MASK = "hush-4711", "[masked]"
DENIED = [{"capability": "shell", "effect": "deny", "match": [f"cat {WORD}"]}]
AGENT = str(Path(__file__).parents[1] / "desk" / "scripted_agent.py")
ANNOUNCED = f"""
call = dict(toolCallId="t", title="Run", kind="execute", status="pending", rawInput={{"command": "cat {WORD}"}})
update(sessionUpdate="tool_call", **call)
options = [dict(optionId=kind, name=kind, kind=kind) for kind in ("allow_once", "reject_once")]
"""
ASKED = """
say(id=77, method="session/request_permission", params=dict(sessionId="s", toolCall=about, options=options))
tell(json.loads(sys.stdin.readline())["result"]["outcome"]["optionId"])
"""
BY_ID, WHOLE = "about = dict(toolCallId='t')", "about = call"
UNASKED = f"{ANNOUNCED}\nupdate(sessionUpdate='tool_call_update', toolCallId='t', status='completed')"


async def notify(client, frames):
    await client.notify([rewritten(frame, WORD, MASK) for frame in frames])


async def request(client, frame):
    return await client.request(rewritten(frame, WORD, MASK))


async def keeps_out(client, frames):
    if any(b"toolCallId" in frame.raw for frame in frames):
        raise Vetoed("Nobody is to see what it does.")
    await client.notify(frames)


def masked(notify=notify, request=request):
    return layers(lambda _: Doing(notify, request, record=lambda value: said(value, WORD, MASK)))


@pytest.fixture
def scripted(opened_house):
    """`async with scripted(client, code, middleware) as house`: an agent that does that in each of its turns."""

    def opened(client, code, middleware, **settings):
        command = [sys.executable, "-P", AGENT, json.dumps({"prompt": code})]
        settings = {"engine": "scripted", "permissions": DENIED, **settings}
        return opened_house(client, engines={"scripted": {"command": command}}.items(), settings=settings, m=middleware)

    return opened


@pytest.mark.parametrize("asks", [BY_ID, WHOLE], ids=["by-id", "whole"])
@pytest.mark.parametrize("says", [notify, keeps_out])
async def test_a_rule_holds_for_what_was_masked(scripted, asks, says):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with scripted(client, ANNOUNCED + asks + ASKED, masked(says)) as house:
            session = await house.start()
            await house.prompt(session, "go")
            assert client.text(session).endswith("reject_once")
            assert client.questions == []
            (decision,) = await house.entries(session, "decision")
            assert (decision.value["effect"], decision.value["command"]) == ("deny", f"cat {MASK}")


async def test_what_ran_unasked_is_told_of_what_was_masked(scripted):
    client = RecordingClient(PeerInfo("told", abilities=frozenset({"notices"})))
    with anyio.fail_after(20):
        async with scripted(client, UNASKED, masked()) as house:
            session = await house.start()
            await house.prompt(session, "go")
            (unguarded,) = await house.entries(session, "unguarded")
            assert (unguarded.value["effect"], unguarded.value["command"]) == ("deny", f"cat {MASK}")
            assert "tool_unguarded" in house.notices(session)
            assert WORD not in str(client.updates(session))


async def test_a_person_is_asked_in_the_words_of_the_middleware_and_its_veto_counts(scripted):
    async def refuses(client, frame):
        await request(client, frame)
        raise Vetoed("I have seen enough.")

    client = RecordingClient()
    with anyio.fail_after(20):
        async with scripted(client, ANNOUNCED + WHOLE + ASKED, masked(request=refuses), permissions=[]) as house:
            session = await house.start()
            await house.prompt(session, "go")
            (question,) = client.questions
            assert question.params["toolCall"]["rawInput"] == {"command": f"cat {MASK}"}
            assert client.text(session).endswith("reject_once")


async def test_a_prompt_that_did_not_reach_the_agent_is_not_cancelled_there(scripted):
    prompted = []

    async def prompt(agent, frame):
        prompted.append(frame)
        if len(prompted) == 1:
            raise ValueError("plum")
        return await agent.prompt(frame)

    client = RecordingClient()
    code = "tell(str('session/cancel' in got))"
    with anyio.fail_after(20):
        async with scripted(client, code, layers(lambda _: Doing(prompt=prompt))) as house:
            session = await house.start()
            assert (await house.prompt(session, "one")).error["data"]["code"] == "MIDDLEWARE_FAILED"
            await house.prompt(session, "two")
            assert client.text(session) == "False"


async def test_a_prompt_that_did_is(scripted):
    prompted = []

    async def prompt(agent, frame):
        prompted.append(turn := await agent.prompt(frame))
        if len(prompted) == 1:
            raise ValueError("plum")
        return turn

    client = RecordingClient()
    code = "tell(str('session/cancel' in got))"
    with anyio.fail_after(20):
        async with scripted(client, code, layers(lambda _: Doing(prompt=prompt))) as house:
            session = await house.start()
            assert (await house.prompt(session, "one")).error["data"]["code"] == "MIDDLEWARE_FAILED"
            await client.until(lambda seen: seen.text(session) == "False")
            await house.prompt(session, "two")
            assert client.text(session) == "FalseTrue"
