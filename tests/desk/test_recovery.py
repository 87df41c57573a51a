"""A record that a killed desk left behind is taken up: what is unknown is said, and nothing is repeated or lost."""

import json
import subprocess
import sys
from contextlib import asynccontextmanager

import anyio
import pytest

from kiro_core.frames import Frame
from kiro_core.journal import Journal
from kiro_core.testing import RecordingClient
from kiro_files import FilesOptions, open_store


@asynccontextmanager
async def dead_desk(session):
    """The record as a desk has it that is about to be killed."""
    async with open_store(FilesOptions()) as store, store.open(session) as db:
        yield Journal(db)


def asked(text):
    return Frame.of("session/prompt", {"sessionId": "s", "prompt": [{"type": "text", "text": text}]}, id=7)


async def left_behind(office, session, *begun_or_not):
    """Prompts that were accepted; those with a `True` were sent."""
    await office.close(session)
    async with dead_desk(session) as journal:
        for number, (text, begun) in enumerate(begun_or_not, 1):
            await journal.message("prompt", asked(text), f"9.{number}")
            if begun:
                await journal.event("turn_begun", {}, f"9.{number}")


async def outcomes(office, session):
    return {e.turn: e.value["state"] for e in await office.entries(session, "turn_ended") if e.turn.startswith("9.")}


async def notices(office, session, kind):
    return [e.value for e in await office.entries(session, "notice") if e.value["notice"] == kind]


def answering(option):
    async def answer(frame):
        return Frame.answer({"outcome": {"outcome": "selected", "optionId": option}})

    return RecordingClient(answer=answer)


async def test_a_turn_that_ran_when_the_desk_died_is_unknown_and_told_and_not_repeated(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await left_behind(office, session, ("/echo danger", True))
            await office.load(session)
            assert await outcomes(office, session) == {"9.1": "unknown"}
            (told,) = await notices(office, session, "turn_unknown")
            assert "'/echo danger'" in told["text"]
            await office.prompt(session, "/echo safe")
            assert [e.turn for e in await office.entries(session, "turn_begun")].count("9.1") == 1
            await office.close(session)
            await office.load(session)
            assert len(await notices(office, session, "turn_unknown")) == 1, "it is told once"


@pytest.mark.parametrize("updates", [0, 300, 5000])
async def test_an_unfinished_turn_is_found_however_much_the_agent_said_in_it(opened_desk, updates):
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await left_behind(office, session, ("first", True), ("second", False))
            async with dead_desk(session) as journal:
                said = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "x"}}
                frame = Frame.of("session/update", {"sessionId": "s", "update": said})
                await journal.updates([frame] * updates)
            await office.load(session)
            assert await outcomes(office, session) == {"9.1": "unknown"}
            assert len(await notices(office, session, "prompts_waiting")) == 1


async def test_prompts_that_were_never_sent_are_sent_first_when_the_client_says_so(opened_desk):
    client = answering("send")
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            session = await office.start()
            await left_behind(office, session, ("/echo one.", False), ("/echo two.", False))
            await office.load(session)
            (told,) = await notices(office, session, "prompts_waiting")
            assert "wait for your word" in told["text"]
            assert await outcomes(office, session) == {}
            await office.prompt(session, "/echo three.")
            said = client.text(session)
            assert said.index("one.", said.rindex("[kiro_core]")) < said.rindex("two.") < said.rindex("three.")
            assert await outcomes(office, session) == {"9.1": "settled", "9.2": "settled"}


async def test_prompts_that_were_never_sent_are_dropped_when_the_client_says_so(opened_desk):
    client = answering("drop")
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            session = await office.start()
            await left_behind(office, session, ("/echo one.", False))
            await office.load(session)
            await office.prompt(session, "/echo two.")
            assert await outcomes(office, session) == {"9.1": "cancelled"}
            assert len(await office.entries(session, "turn_begun")) == 1


async def test_prompts_of_which_nobody_decides_wait_on_across_any_number_of_openings(opened_desk):
    client = answering("later")
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            session = await office.start()
            await left_behind(office, session, ("/echo one.", False))
            for count in (1, 2, 3):
                await office.load(session)
                await office.prompt(session, "/echo more")
                await office.prompt(session, "/echo and more")
                assert len(await notices(office, session, "prompts_waiting")) == count
                assert len(await office.entries(session, "question")) == count, "it is asked once an opening"
                await office.close(session)
            assert await outcomes(office, session) == {}


@pytest.mark.parametrize(("setting", "state"), [("resume", "settled"), ("drop", "cancelled")])
async def test_a_setting_decides_about_prompts_that_were_never_sent(opened_desk, setting, state):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), waiting_prompts=setting) as office:
            session = await office.start()
            await left_behind(office, session, ("/echo one.", False))
            await office.load(session)
            while not await outcomes(office, session):
                await anyio.lowlevel.checkpoint()
            assert await outcomes(office, session) == {"9.1": state}
            assert not await office.entries(session, "question")


async def test_a_session_that_is_only_read_has_its_unknown_turn_too(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), recovery=[]) as office:
            session = await office.start()
            await left_behind(office, session, ("hello", True))
            answer = await office.load(session)
            assert "refusesPrompts" in answer["_meta"]["kiro_core"]
            assert await outcomes(office, session) == {"9.1": "unknown"}


def agent_file(home, **fields):
    path = home / "agents" / "poet.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"name": "poet", **fields}))
    return path


async def test_what_comes_back_is_the_configuration_of_the_record_and_drift_is_told(opened_desk, home):
    path = agent_file(home, prompt="Rhyme.")
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, agent="") as office:
            session = (await office.new(agent="poet"))["sessionId"]
            await office.prompt(session, "hello")
            await office.close(session)
            for change in (lambda: agent_file(home, prompt="Never rhyme."), path.unlink):
                change()
                before = len(client.text(session))
                await office.load(session)
                await office.prompt(session, "/blocks")
                assert "Rhyme." in client.text(session)[before:], "an agent that begins anew is told the prompt again"
                assert "Never rhyme." not in client.text(session)
                await office.close(session)
            told = await notices(office, session, "agent_drift")
            assert ["goes on with the one that it had" in notice["text"] for notice in told] == [True, True]


async def test_other_mcp_servers_than_before_are_told(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            session = (await office.new(servers=["docs", "web"]))["sessionId"]
            await office.close(session)
            await office.load(session)
            (told,) = await notices(office, session, "mcp_drift")
            assert (told["missing"], told["added"]) == (["docs", "web"], [])


@pytest.fixture
def lock(tmp_path):
    def write(session, **body):
        path = tmp_path / "locks" / f"{session}.lock"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(body))
        return path

    return write


def locking(tmp_path):
    return {"x": {"lock": f"{tmp_path}/locks/{{session}}.lock"}}


async def gone_on_with_lock(opened_desk, tmp_path, lock, pid):
    engines = {"x": ["--memory", str(tmp_path / "memory")]}
    async with opened_desk(RecordingClient(), engines=engines, engine_settings=locking(tmp_path), engine="x") as office:
        session = await office.start()
        await office.prompt(session, "hello")
        agent_session = (await office.desk.info(session)).agent_session
        await office.close(session)
        path = lock(agent_session, pid=pid, started_at="2026-05-01T08:00:00.1Z")
        await office.load(session)
        return path, await office.entries(session, "engine_lock_moved")


async def ended_pid():
    """A process id that nobody has."""
    child = await anyio.to_thread.run_sync(lambda: subprocess.Popen(["/bin/true"]))
    child.wait()
    return child.pid


async def test_a_lock_that_a_killed_agent_left_is_moved_aside_with_a_receipt(opened_desk, tmp_path, lock):
    with anyio.fail_after(30):
        pid = await ended_pid()
        path, (receipt,) = await gone_on_with_lock(opened_desk, tmp_path, lock, pid)
        assert not path.exists()
        aside = await anyio.Path(receipt.value["to"]).read_text()
        assert json.loads(aside)["pid"] == receipt.value["pid"] == pid
        assert "has ended" in receipt.value["reason"]


async def test_a_lock_whose_pid_is_another_program_now_is_moved_aside(opened_desk, tmp_path, lock):
    with anyio.fail_after(30):
        async with await anyio.open_process(["/bin/sleep", "60"]) as other:
            path, (receipt,) = await gone_on_with_lock(opened_desk, tmp_path, lock, other.pid)
            other.kill()
        assert not path.exists()
        assert "another program, sleep" in receipt.value["reason"]


async def test_a_lock_of_a_live_agent_program_stays(opened_desk, tmp_path, lock):
    with anyio.fail_after(30):
        async with await anyio.open_process([sys.executable, "-c", "input()"]) as other:
            path, receipts = await gone_on_with_lock(opened_desk, tmp_path, lock, other.pid)
            other.kill()
        assert path.exists()
        assert receipts == []


@pytest.mark.parametrize("body", ["", "{", "[]", '{"pid": "4"}', '{"pid": true}', '{"pid": -1}', '{"pid": 1e99}'])
async def test_a_lock_that_names_no_process_stays(opened_desk, tmp_path, lock, body):
    with anyio.fail_after(30):
        engines = {"x": ["--memory", str(tmp_path / "memory")]}
        async with opened_desk(
            RecordingClient(), engines=engines, engine_settings=locking(tmp_path), engine="x"
        ) as office:
            session = await office.start()
            path = lock((await office.desk.info(session)).agent_session)
            path.write_text(body)
            await office.prompt(session, "hello")
            await office.close(session)
            await office.load(session)
            assert path.read_text() == body
