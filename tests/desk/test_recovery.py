"""A record that a killed desk left behind is taken up: what is unknown is said, and nothing is repeated or lost."""

import json
import os
import subprocess
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from kiro_core.frames import Frame
from kiro_core.journal import Journal, utc_now
from kiro_core.recovery import free_engine_lock, lock_path, recorded, unfinished
from kiro_core.testing import RecordingClient
from kiro_core.types import Engine, Record, SessionInfo
from kiro_files import FilesOptions, open_store

needs_proc = pytest.mark.skipif(not Path("/proc/stat").exists(), reason="nothing tells when a process began")


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


@pytest.mark.parametrize("updates", [100, 300])
async def test_the_end_of_a_turn_that_names_no_others_says_nothing_of_them(opened_desk, updates):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await left_behind(office, session, ("one", True), ("two", False))
            async with dead_desk(session) as journal:
                said = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "x"}}
                frame = Frame.of("session/update", {"sessionId": "s", "update": said})
                await journal.updates([frame] * updates)
                await journal.event("turn_ended", {"stopReason": "end_turn"}, "9.1")
            await office.load(session)
            assert len(await notices(office, session, "prompts_waiting")) == 1


async def test_a_record_that_is_none_of_ours_does_not_keep_a_session_shut(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await left_behind(office, session, ("one", False))
            async with open_store(FilesOptions()) as store, store.open(session) as db:
                await db.append([b'{"of": "another program"}'])
            params = {"sessionId": session, "cwd": str(office.cwd), "mcpServers": []}
            await office.agent.open(Frame.of("session/resume", params, id=0), replay=False)
            assert session in office.desk.live


async def test_what_the_agent_was_never_sent_is_not_told_to_it_as_said(opened_desk):
    client = answering("drop")
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await left_behind(office, session, ("was sent", True), ("was not sent", False))
            await office.load(session)
            before = len(client.text(session))
            await office.prompt(session, "/blocks")
            told = client.text(session)[before:]
            assert "> was sent" in told
            assert "(This turn was cut off.)" in told
            assert "> was not sent" not in told
            assert "> /blocks" not in told, "the prompt that is being sent is not history"


async def test_a_record_that_is_none_of_ours_keeps_no_conversation_from_being_shown(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            session = await office.start()
            await office.prompt(session, "/echo before")
            await office.close(session)
            async with open_store(FilesOptions()) as store, store.open(session) as db:
                await db.append([b'{"of": "another program"}'])
            client.frames.clear()
            await office.load(session)
            assert client.text(session) == "before"


async def test_a_turn_whose_end_was_damaged_is_not_said_to_have_been_cut_off(opened_desk, home):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await office.close(session)
            (log,) = (home / "sessions" / "core").glob("*.jsonl")
            lines = log.read_bytes().splitlines(keepends=True)
            end = next(number for number, line in enumerate(lines) if b'"turn_ended"' in line)
            lines[end] = bytes(len(lines[end]) - 1) + b"\n"
            log.write_bytes(b"".join(lines))
            await office.load(session)
            (told,) = await notices(office, session, "turn_unknown")
            assert "has no end on record, which is damaged there" in told["text"]


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


async def test_a_prompt_in_a_file_of_its_own_comes_back_from_the_record_too(opened_desk, home):
    agent_file(home, prompt="file://./prompt.md")
    prompt = home / "agents" / "prompt.md"
    prompt.write_text("Rhyme.")
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, agent="") as office:
            session = (await office.new(agent="poet"))["sessionId"]
            await office.prompt(session, "hello")
            await office.close(session)
            prompt.write_text("Never rhyme.")
            await office.load(session)
            before = len(client.text(session))
            await office.prompt(session, "/blocks")
            assert '"Rhyme.' in client.text(session)[before:]
            assert "Never rhyme." not in client.text(session)
            assert len(await notices(office, session, "agent_drift")) == 1


async def test_the_same_agent_named_again_is_used_as_it_is_today_and_told(opened_desk, home, tmp_path):
    agent_file(home, prompt="Rhyme.")
    client = RecordingClient()
    engines = {"x": ["--memory", str(tmp_path / "memory")]}
    with anyio.fail_after(30):
        async with opened_desk(client, engines=engines, engine="x", agent="poet") as office:
            session = await office.start()
            await office.prompt(session, "hello")
            for expected in (0, 1):
                await office.close(session)
                await office.load(session)
                assert len(await notices(office, session, "agent_drift")) == expected
                agent_file(home, prompt="Never rhyme.")
            before = len(client.text(session))
            await office.prompt(session, "/blocks")
            assert "Never rhyme." in client.text(session)[before:], "an agent that remembers the old prompt is told"


def becoming(scripted):
    """An engine that takes its agent configurations by itself, as modes; `modes_set` is what it was told."""
    modes = "{'modes': {'currentModeId': 'base', 'availableModes': [{'id': n, 'name': n} for n in ('base', 'poet')]}}"
    code = {
        "initialize": "answers['initialize']['agentCapabilities'] = {'loadSession': True}",
        "new": f"answers['session/new'] = {{'sessionId': 's', **{modes}}}",
        "load": f"answers['session/load'] = {modes}",
        "set_mode": "open('modes', 'a').write(asked['params']['modeId'] + ' ')",
    }
    return {"x": {**scripted(**code), "agents": "mode"}}


def modes_set(office):
    path = office.cwd / "modes"
    return path.read_text().split() if path.exists() else []


EVIL = {"mcpServers": {"evil": {"command": "evil"}}}


@pytest.mark.parametrize("prompt", ["Evil.", 5])
@pytest.mark.parametrize("own", [True, False])
async def test_no_file_of_an_untrusted_folder_is_handed_to_an_agent_that_reads_it(
    opened_desk, scripted, home, prompt, own
):
    """Whether it can be read or not, and whether the recorded configuration was a person's own or the engine's."""
    if own:
        agent_file(home, prompt="Rhyme.")
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings=becoming(scripted), engine="x") as office:
            session = (await office.new(agent="poet"))["sessionId"]
            await office.prompt(session, "hello")
            await office.close(session)
            assert modes_set(office) == ["poet"]
            agent_file(office.cwd / ".kiro", prompt=prompt, **EVIL)
            answer = await office.load(session)
            assert modes_set(office) == ["poet"], "not once more"
            assert answer["_meta"]["kiro_core"]["agent"] == "poet"
            (told,) = await notices(office, session, "agent_drift")
            assert ("goes on with the one that it had" if own else "is not told to use its own") in told["text"]


async def test_an_agent_that_reads_a_trusted_file_by_itself_reads_it_as_it_is_today(opened_desk, scripted, home):
    agent_file(home, prompt="Rhyme.")
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings=becoming(scripted), engine="x") as office:
            session = (await office.new(agent="poet"))["sessionId"]
            await office.prompt(session, "hello")
            await office.close(session)
            await office.load(session)
            assert await notices(office, session, "agent_drift") == []
            await office.close(session)
            agent_file(home, prompt="Never rhyme.")
            await office.load(session)
            assert modes_set(office) == ["poet"] * 3
            (told,) = await notices(office, session, "agent_drift")
            assert "as it is today" in told["text"]


class Records:
    """Bodies of records; `read` counts how often it is read, and how much of it."""

    def __init__(self, *events):
        self.bodies = [json.dumps({"at": "x", "kind": kind, "data": data}).encode() for kind, data in events]
        self.passes = []

    async def read(self, after):
        self.passes.append(0)
        for seq, body in enumerate(self.bodies[after:], after + 1):
            self.passes[-1] += 1
            yield Record(seq, 1, body)


def opened(servers=(), **agent):
    return "opened", {"agent": {"name": "poet", "digest": "d", **agent}, "mcpServers": list(servers)}


def configured_at(number, digest="d"):
    return SessionInfo("s", "/", "x", "x", agent="poet", config_digest=digest, configured=number)


async def test_the_configuration_of_the_record_is_the_one_that_the_metadata_points_at(anyio_backend):
    records = Records(opened(prompt="old"), opened(prompt="now"), opened(prompt="failed to open"))
    assert (await recorded(records.read, configured_at(1))).config.prompt == "now"
    assert records.passes == [1]


async def test_where_the_numbers_are_others_the_last_configuration_counts(anyio_backend):
    records = Records(("update", {}), opened(prompt="old"), opened(["docs"], prompt="now"), opened(digest="other"))
    found = await recorded(records.read, configured_at(99))
    assert (found.config.prompt, found.mcp_servers) == ("now", ("docs",))


async def test_a_record_that_holds_no_whole_configuration_is_read_once(anyio_backend):
    records = Records(*[opened()] * 9)
    assert await recorded(records.read, configured_at(0)) is None
    assert records.passes == [1, 9]


async def test_a_turn_that_has_ended_is_not_unfinished_whatever_is_between(anyio_backend):
    records = Records(("prompt", 1), ("turn_ended", 5), ("turn_ended", {"open": 7}), ("turn_ended", None))
    assert await unfinished(records.read, 4) == []


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


async def gone_on_with_lock(opened_desk, tmp_path, lock, pid, written="2026-05-01T08:00:00.1Z"):
    engines = {"x": ["--memory", str(tmp_path / "memory")]}
    async with opened_desk(RecordingClient(), engines=engines, engine_settings=locking(tmp_path), engine="x") as office:
        session = await office.start()
        await office.prompt(session, "hello")
        agent_session = (await office.desk.info(session)).agent_session
        await office.close(session)
        path = lock(agent_session, pid=pid, started_at=written)
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


@needs_proc
async def test_a_lock_whose_pid_began_after_it_was_written_is_moved_aside(opened_desk, tmp_path, lock):
    with anyio.fail_after(30):
        async with await anyio.open_process(["/bin/sleep", "60"]) as other:
            path, (receipt,) = await gone_on_with_lock(opened_desk, tmp_path, lock, other.pid)
            other.kill()
        assert not path.exists()
        assert f"process {other.pid} began after the lock was written" in receipt.value["reason"]


async def test_a_lock_of_a_process_that_was_there_before_stays_whatever_its_name(opened_desk, tmp_path, lock):
    with anyio.fail_after(30):
        async with await anyio.open_process(["/bin/sleep", "60"]) as other:
            path, receipts = await gone_on_with_lock(opened_desk, tmp_path, lock, other.pid, utc_now())
            other.kill()
        assert path.exists()
        assert receipts == []


@pytest.fixture
def sleeper():
    """A process of ours that is no agent program."""
    with subprocess.Popen(["/bin/sleep", "60"]) as process:
        yield process
        process.kill()


@needs_proc
@pytest.mark.parametrize("told", [None, 5, "yesterday", "2026-05-01", "2026-05-01T08:00:00", "now"])
@pytest.mark.parametrize("age", [0, 3600])
def test_a_lock_that_does_not_say_when_it_was_written_is_as_old_as_its_file(lock, sleeper, told, age):
    path = lock("s", pid=sleeper.pid, started_at=told)
    changed = datetime.now(UTC).timestamp() - age
    os.utime(path, (changed, changed))
    moved = free_engine_lock(path)
    assert (moved is not None) is (age > 0)
    assert path.exists() is (age == 0)


@needs_proc
@pytest.mark.parametrize("written", ["2026-05-01T08:00:00Z", ""])
def test_a_process_of_another_user_is_judged_by_its_time_as_well(lock, sleeper, monkeypatch, written):
    def refuse(pid, number):
        raise PermissionError

    path = lock("s", pid=sleeper.pid, started_at=written or utc_now())
    with monkeypatch.context() as patched:
        patched.setattr(os, "kill", refuse)
        moved = free_engine_lock(path)
    assert (moved is None) is (not written)


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("again", [True, False])
async def test_a_lock_that_somebody_took_in_between_is_put_back(lock, monkeypatch, links, again):
    pid = await ended_pid()
    path = lock("s", pid=pid)
    rename = Path.rename

    def taken(self, to):
        if self == path:
            lock("s", pid=os.getpid())
        rename(self, to)
        if self == path and again:
            lock("s", pid=1)

    def link(*paths):
        raise PermissionError("no hard links here")

    if not links and not again:
        monkeypatch.setattr(os, "link", link)
    monkeypatch.setattr(Path, "rename", taken)
    assert free_engine_lock(path) is None
    assert json.loads(path.read_text())["pid"] == (1 if again else os.getpid())
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("session", ["", ".", "..", "../x", "/etc/x", "a/b", "a\0"])
def test_a_session_id_of_an_agent_that_is_no_file_name_has_no_lock(session):
    engine = Engine("x", (), lock="{kiro_home}/sessions/{session}.lock")
    assert lock_path(engine, session, {"HOME": "/home/me"}) is None


def test_the_lock_is_in_the_folder_that_the_agent_program_sees():
    engine = Engine("x", (), lock="{kiro_home}/{session}.lock")
    both = {"HOME": "/home/me", "KIRO_HOME": "/ours"}
    assert lock_path(Engine("x", ()), "s", both) is None
    assert lock_path(engine, "~s", both) == Path("/ours/~s.lock")
    assert lock_path(replace(engine, env={"KIRO_HOME": "/its"}), "s", both) == Path("/its/s.lock")
    assert lock_path(replace(engine, unset=["KIRO_HOME"]), "s", both) == Path("/home/me/.kiro/s.lock")


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
