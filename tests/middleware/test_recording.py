"""What the desk itself records and shows passes `record` first: the words of others, wherever they come from."""

import json
import sys
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import anyio
import pytest
from scripted_layers import Doing, layers, rewritten, said

from kiro_core import Frame
from kiro_core.errors import KiroError
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo, SessionId

WORD, MASK = "hush-4711", "[masked]"
TOLD = PeerInfo("told", abilities=frozenset({"notices"}))
SCRIPTED = [sys.executable, "-P", str(Path(__file__).parents[1] / "desk" / "scripted_agent.py")]


def scripted(**code):
    return {"scripted": {"command": [*SCRIPTED, json.dumps(code)]}}.items()


async def notify(client, frames):
    await client.notify([rewritten(frame, WORD, MASK) for frame in frames if frame.fault is None])


def masking():
    return layers(lambda _: Doing(notify, record=lambda value: said(value, WORD, MASK)))


@pytest.fixture
def masked(opened_house, on_disk):
    """A desk whose middleware masks a word; the word is nowhere on the disk, and no client was ever shown it."""

    @asynccontextmanager
    async def opened(client=None, **more):
        client = client or RecordingClient(TOLD)
        with anyio.fail_after(30):
            async with opened_house(client, mask=masking(), **more) as house:
                yield house
        assert WORD not in str([frame.params for frame in client.frames])
        assert on_disk(WORD) == []

    return opened


async def test_a_prompt_reaches_the_agent_as_it_was_written_and_nobody_else(opened_house, on_disk):
    got = []

    async def prompt(agent, frame):
        got.append(frame.params["prompt"][0]["text"])
        return await agent.prompt(frame)

    everything = layers(lambda _: Doing(notify, prompt=prompt, record=lambda value: said(value, WORD, MASK)))
    client, other = RecordingClient(TOLD), RecordingClient(TOLD)
    with anyio.fail_after(30):
        async with opened_house(client, mask=everything) as house, house.desk.attach(other) as beside:
            session = await house.start()
            params = {"sessionId": session, "cwd": (await house.desk.info(SessionId(session))).cwd, "mcpServers": []}
            await beside.open(Frame.of("session/resume", params, id=0), replay=False)
            await house.prompt(session, f"/echo {WORD}")
            await other.until(lambda seen: MASK in seen.text(session))
            assert got == [f"/echo {WORD}"]
            assert f"/echo {MASK}" in str(other.updates(session)), "who did not write it sees it as it is recorded"
            assert (await house.desk.info(SessionId(session))).title == f"/echo {MASK}"
            (recorded,) = await house.entries(session, "prompt")
            assert recorded.frame.params["prompt"] == [{"type": "text", "text": f"/echo {MASK}"}]
            await house.close(session)
            await house.load(session)
    assert WORD not in str([frame.params for frame in (*client.frames, *other.frames)])
    assert on_disk(WORD) == []


async def test_titles_are_written_as_they_may_be_at_work_and_at_rest(masked):
    async with masked() as house:
        session = SessionId(await house.start(title=f"About {WORD}"))
        titles = [(await house.desk.info(session)).title]
        titles.append((await house.desk.relabel(session, title=f"Of {WORD}")).title)
        await house.close(session)
        titles.append((await house.desk.relabel(session, title=f"On {WORD}")).title)
        assert titles[1:] == [f"Of {MASK}", f"On {MASK}"]
        assert WORD not in titles[0]


COMMAND = {"title": "shell", "kind": "execute", "rawInput": {"command": f"cat {WORD}"}}


async def test_a_question_is_judged_as_it_was_asked_and_told_as_it_may_be(masked):
    rules = [{"capability": "shell", "effect": "deny", "match": [f"cat {WORD}"]}]
    async with masked(settings={"permissions": rules}) as house:
        session = await house.start()
        await house.prompt(session, f"/permission {json.dumps(COMMAND)}")
        assert "Permission: reject_once" in house.client.text(session)
        (decision,) = await house.entries(session, "decision")
        assert decision.value["outcome"] == "denied"
        assert MASK in str(decision.value)


async def test_a_question_to_a_person_and_an_answer_for_always(masked):
    async def always(frame):
        option = next(option for option in frame.params["options"] if option["kind"] == "allow_always")
        return Frame.answer({"outcome": {"outcome": "selected", "optionId": option["optionId"]}})

    client = RecordingClient(TOLD, answer=always)
    async with masked(client) as house:
        session = SessionId(await house.start())
        await house.prompt(session, f"/permission {json.dumps(COMMAND)}")
        (question,) = client.questions
        assert question.params["toolCall"]["rawInput"] == {"command": f"cat {MASK}"}
        (recorded,) = await house.entries(session, "question")
        assert WORD not in str(recorded.frame.params)
        await house.prompt(session, f"/permission {json.dumps(COMMAND)}")
        assert len(client.questions) == 1, "the answer counts for what was asked"
        assert (await house.desk.info(session)).answers == (), "in other words it would be another rule"


async def test_output_of_the_desks_own_terminals(masked):
    client = RecordingClient(TOLD)
    async with masked(client) as house:
        session = await house.start()
        await house.prompt(session, f"/run echo {WORD}")
        assert f"{MASK}\\n" in str(client.updates(session))
        assert MASK in str(client.questions[0].params)
        (terminal,) = await house.entries(session, "terminal")
        assert terminal.value["output"] == f"{MASK}\n"


async def test_the_last_words_of_a_program_that_ends(masked):
    code = {"prompt": f"sys.stderr.write('so {WORD}\\n'); sys.exit(3)"}
    async with masked(engines=scripted(**code), settings={"engine": "scripted"}) as house:
        session = await house.start()
        outcome = await house.prompt(session, "hello")
        assert outcome.error["data"]["code"] == "AGENT_GONE"
        assert MASK in outcome.error["message"]
        assert outcome.error["data"]["stderr"] == f"so {MASK}"
        ended = await house.recorded(session, "process_ended")
        assert ended.value["stderr"].rstrip() == f"so {MASK}"


async def test_the_words_with_which_a_program_refuses_to_begin(masked):
    code = {"initialize": f"refuse(-32005, 'No {WORD}', why='{WORD}')"}
    async with masked(engines=scripted(**code), settings={"engine": "scripted"}) as house:
        with pytest.raises(KiroError) as caught:
            await house.start()
        assert str(caught.value) == f"The agent refused initialize: No {MASK}"
        assert caught.value.data == {"why": MASK}


async def test_what_triggers_print(masked, home):
    (home / "agents").mkdir(parents=True)
    printing = {"command": "printf 'hush-%s' 4711; printf 'so hush-%s' 4711 >&2; exit 1"}
    hooks = {"userPromptSubmit": [printing, {"command": "printf 'hush-%s' 4711"}]}
    (home / "agents" / "hooked.json").write_text(json.dumps({"name": "hooked", "hooks": hooks}))
    async with masked(settings={"agent": "hooked"}) as house:
        session = await house.start()
        await house.prompt(session, "/echo hello")
        assert MASK in str([item.value for item in await house.entries(session, "notice")])
        assert MASK in str(house.notices(session))


async def test_letters_to_sessions_at_work_and_at_rest(masked, on_disk):
    async with masked() as house:
        session = SessionId(await house.start())
        await house.desk.crew.send("", session, f"Look at {WORD}.")
        await house.client.until(lambda seen: "Look at" in seen.text(session))
        await house.close(session)
        await house.desk.crew.send("", session, f"And at {WORD}.")
        assert on_disk(f"And at {MASK}.") != []
        letters = [item.value["text"] for item in await house.entries(session, "message")]
        assert letters == [f"Look at {MASK}."]


async def test_members_and_what_they_come_to(masked):
    async with masked() as house:
        session = SessionId(await house.start())
        crew = house.desk.crew
        member = await crew.spawn(session, f"/echo done {WORD}", name="Ada", persistent=True)
        await crew.wait(session, timeout_s=20)
        assert member.task == f"/echo done {MASK}"
        (seen,) = await crew.members(session)
        assert MASK in seen.result
        assert WORD not in str(seen)
        info = await house.desk.info(session)
        assert info.crew["members"][0]["task"] == f"/echo done {MASK}"


async def test_the_record_of_a_run(masked, tmp_path):
    async with masked() as house:
        stages = [
            {"id": "a", "prompt": f"/echo {WORD}"},
            {"id": "b", "prompt": "/echo {stages.a.result}", "depends_on": ["a"]},
        ]
        run = await house.desk.crew.run({"name": "test", "stages": stages}, cwd=tmp_path)
        async with aclosing(house.desk.crew.follow(run)) as views:
            async for view in views:
                if view.done:
                    break
        (begun,) = await house.entries(run, "crew_begun")
        assert begun.value["crew"]["stages"][0]["prompt"] == f"/echo {MASK}"
        assert (await house.desk.crew.report(run))["stages"][1]["result"] == MASK
