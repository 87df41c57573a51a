"""Whoever made an archive has no say at the desk that takes it in, and a record none that nobody can read."""

import json
from dataclasses import replace

import anyio
import pytest

from kiro_core.archive import write_archive
from kiro_core.errors import AgentUntrusted
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.trust import Trust
from kiro_core.types import SessionId
from kiro_files import FilesOptions, open_store

OPTIONS = [{"optionId": name, "name": name, "kind": name} for name in ("allow_once", "allow_always", "reject_once")]
ASKING = f"""
text = got['session/prompt']['prompt'][-1]['text']
tell(json.dumps([b['text'] for b in got['session/prompt']['prompt']]))
if text.startswith('{{'):
    params = {{'sessionId': 's', 'toolCall': json.loads(text), 'options': {OPTIONS!r}}}
    say(id='q', method='session/request_permission', params=params)
    tell(json.dumps(json.loads(sys.stdin.readline())['result']))
"""
LOADING = {"agentCapabilities": {"loadSession": True}}
NAMES = {"tools": {"{tool}": "{tool}"}, "told": {"name": ["title"]}}
SHELL = json.dumps({"toolCallId": "t1", "title": "shell", "kind": "execute", "rawInput": {"command": "make"}})
FETCH = json.dumps(
    {"toolCallId": "t2", "title": "web_fetch", "kind": "fetch", "rawInput": {"url": "https://a.example"}}
)


@pytest.fixture
def written(home):
    def write(name, **fields):
        (home / "agents").mkdir(parents=True, exist_ok=True)
        path = home / "agents" / f"{name}.json"
        path.write_text(json.dumps({"name": name, **fields}))
        return path

    return write


@pytest.fixture
def desk(opened_desk, scripted):
    engine = {**scripted(prompt=ASKING, initialize=f"answers['initialize'].update({LOADING!r})"), **NAMES}
    return lambda client, **more: opened_desk(client, engine_settings={"x": engine}, engine="x", **more)


def choosing(option):
    async def answer(_):
        return Frame.answer({"outcome": {"outcome": "selected", "optionId": option}})

    return answer


async def archived(office, session, **changes):
    """The archive of a session whose metadata somebody has changed."""
    info = replace(await office.desk.info(session), **changes)
    return [chunk async for chunk in write_archive(info, lambda: office.desk.read(session), info.created)]


async def taken_in(office, chunks):
    async def again():
        for chunk in chunks:
            yield chunk

    return (await office.desk.import_session(again(), new_id=True)).id


async def test_the_record_of_an_archive_starts_nothing_and_allows_nothing(desk, written, tmp_path):
    witness = tmp_path / "witness"
    evil = written(
        "evil", hooks={"agentSpawn": [{"command": f"touch {witness}"}]}, allowedTools=["shell"], prompt="Hm."
    )
    with anyio.fail_after(60):
        async with desk(RecordingClient(answer=choosing("allow_always"))) as office:
            session = await office.start(agent="evil")
            await office.prompt(session, FETCH)
            assert (await office.desk.info(session)).answers
            chunks = await archived(office, session, mode="yolo", options={"approval": "never"})
        witness.unlink()
        evil.unlink()
        client = RecordingClient(answer=choosing("reject_once"))
        async with desk(client) as office:
            session = await taken_in(office, chunks)
            info = await office.desk.info(session)
            assert info.imported
            assert (info.answers, info.mode, dict(info.options)) == ((), "", {})
            for _ in range(2):
                await office.load(session)
                await office.prompt(session, SHELL)
                await office.prompt(session, FETCH)
                await office.close(session)
            assert [question.params["toolCall"]["title"] for question in client.questions] == ["shell", "web_fetch"] * 2
            assert "Hm." in client.text(session)
            assert "only its prompt is used" in client.text(session)
    assert not witness.exists()


async def test_an_imported_session_goes_on_with_the_configuration_that_its_name_has_here(desk, written):
    mine = written("review", allowedTools=["shell"], prompt="Theirs.")
    with anyio.fail_after(60):
        client = RecordingClient(answer=choosing("reject_once"))
        async with desk(client) as office:
            session = await office.start(agent="review")
            await office.prompt(session, "hello")
            chunks = await archived(office, session)
            mine.write_text(json.dumps({"name": "review", "prompt": "Mine."}))
            session = await taken_in(office, chunks)
            await office.load(session)
            await office.prompt(session, SHELL)
            assert "it is used as it is today" in client.text(session)
            assert len(client.questions) == 1


async def test_an_archive_names_no_parent_here(desk, written):
    written("wide", allowedTools=["shell"])
    with anyio.fail_after(30):
        async with desk(RecordingClient(), agent="wide") as office:
            parent, child = await office.start(), await office.start()
            chunks = await archived(office, child, parent=parent, inherited=({"session": parent},))
            info = await office.desk.info(await taken_in(office, chunks))
            assert (info.parent, info.inherited) == ("", ())


async def test_answers_that_cannot_be_read_are_told_and_asked_again(desk):
    answers = ({"effect": "maybe"}, {"tool": "shell"}, {"effect": "allow", "capability": "x", "patterns": ["*"]})
    with anyio.fail_after(30):
        client = RecordingClient(answer=choosing("allow_always"))
        async with desk(client) as office:
            session = await office.start()
            await office.prompt(session, SHELL)
            await office.close(session)
            async with open_store(FilesOptions()) as store, store.open(SessionId(session)) as db:
                await db.put_info(replace(db.info, answers=(*answers, *db.info.answers)))
            await office.load(session)
            await office.prompt(session, SHELL)
            assert "3 cannot be read" in client.text(session)
            assert len(client.questions) == 1


async def test_a_field_that_nobody_knows_is_recorded_by_its_name_alone(desk, written):
    written("typo", mcp_servers={"x": {"command": "x", "env": {"TOKEN": "hunter2"}}}, allowedTools=["shell"])
    with anyio.fail_after(30):
        async with desk(RecordingClient(), agent="typo") as office:
            session = await office.start()
            records = b"".join([record.body async for record in office.desk.read(SessionId(session))])
            (opened,) = await office.entries(session, "opened")
            assert opened.value["unknown"] == ["mcp_servers"]
            assert opened.value["agent"]["fields"]["allowedTools"] == ["shell"]
            assert b"hunter2" not in records


async def trusted_folder(tmp_path):
    path = tmp_path / ".kiro" / "agents" / "review.json"
    path.parent.mkdir(parents=True)

    def put(**fields):
        path.write_text(json.dumps({"name": "review", "mcpServers": {"srv": {"command": "x"}}, **fields}))

    put()
    return put


async def test_a_file_that_was_edited_and_trusted_anew_is_not_asked_about_again(opened_desk, scripted, tmp_path, home):
    put = await trusted_folder(tmp_path)
    engine = scripted(initialize=f"answers['initialize'].update({LOADING!r})")
    desk = {"engine_settings": {"x": engine, "y": engine}, "engine": "x", "agent": "review"}
    client = RecordingClient(answer=choosing("trust"))

    async def servers(office, session):
        return (await office.entries(session, "opened", "configured"))[-1].value["mcpServers"]

    with anyio.fail_after(60):
        async with opened_desk(client, **desk) as office:
            session = await office.start()
            await office.prompt(session, "hello")
            put(description="edited")
            await office.prompt(await office.start(), "trusts the new bytes")
            trusted = Trust(home).all()
            assert len(client.questions) == 2
            await office.set(session, "engine", "y")
            assert await servers(office, session) == ["srv"]
            await office.set(session, "engine", "x")
        async with opened_desk(client, **{**desk, "agent": ""}) as office:
            await office.load(session)
            await office.prompt(session, "again")
            assert await servers(office, session) == ["srv"]
    assert len(client.questions) == 2
    assert Trust(home).all() == trusted


async def test_a_yes_to_what_a_file_said_before_is_no_yes_to_what_it_says_now(opened_desk, scripted, tmp_path, home):
    put = await trusted_folder(tmp_path)
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": scripted()}, engine="x") as office:
            session = await office.start(agent="review")
            documents = office.desk.live[session].plan.untrusted
            put(description="edited")
            with pytest.raises(AgentUntrusted, match="has changed since"):
                await office.desk.ground.trust(documents)
    assert Trust(home).all() == {}


async def test_a_change_brings_what_there_is_to_tell_and_uses_what_was_trusted_meanwhile(
    opened_desk, scripted, tmp_path, home
):
    put = await trusted_folder(tmp_path)
    put(resources=["file://missing.md"])
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": scripted()}, engine="x") as office:
            session = await office.start(agent="review")
            plan = office.desk.live[session].plan
            assert plan.config.name == "kiro_default"
            await office.desk.ground.trust(plan.untrusted)
            changed, _ = await office.desk.ground.changed(plan, agent=plan.wanted)
            assert (changed.config.name, list(changed.untrusted)) == ("review", [])
            assert any("missing.md" in notice.sentence for notice in changed.notices)
            assert not (await office.desk.ground.changed(changed, engine="x"))[0].notices
