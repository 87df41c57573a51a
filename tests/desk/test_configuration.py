"""What a session is configured with reaches agent, client and record, and a secret only the agent."""

import json
from pathlib import Path

import anyio
import pytest

from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo

SECRET = "S3CRET"
CLIENTS = {
    "kiro": PeerInfo("kiro-tui"),
    "with notices": PeerInfo("editor", abilities=frozenset({"notices"})),
    "any other": PeerInfo("editor"),
}


@pytest.fixture
def written(home):
    """`written(name="poet", ...)`: an agent configuration of the user; its path."""
    folder = home / "agents"
    folder.mkdir(parents=True)

    def write(**fields):
        path = folder / f"{fields['name']}.json"
        path.write_text(json.dumps(fields))
        return path

    return write


@pytest.fixture
def client(request):
    return RecordingClient(CLIENTS[request.param])


every_client = pytest.mark.parametrize("client", CLIENTS, indirect=True)


def agents_own(memory):
    """What the one rehearsal agent that keeps its sessions in a folder knows of its session."""
    (path,) = memory.glob("*.json")
    return json.loads(path.read_text())


async def told(office, session, kind):
    """The notices of a kind on record."""
    return [item.value for item in await office.entries(session, "notice") if item.value["notice"] == kind]


def heard(client, kind, kiro):
    """What a client was told of a notice, in its own form: the details."""
    if client.info.name.startswith("kiro"):
        return [frame.params for frame in client.frames if frame.method == kiro]
    marks = [update.get("_meta", {}).get("kiro_core", {}) for update in client.updates()]
    return [mark for mark in marks if mark.get("notice") == kind]


async def test_the_record_has_the_effective_configuration(opened_desk, written, scripted):
    path = written(name="poet", prompt="Rhyme.")
    engine = {**scripted(), "env": {"API_KEY": SECRET, "AREA": "51"}}
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x", agent="poet") as office:
            session = (await office.new(servers=["docs"]))["sessionId"]
            (opened,) = await office.entries(session, "opened")
            info = await office.desk.info(session)
    about = {"name": "poet", "description": "", "prompt": "Rhyme.", "model": ""}
    assert opened.value == {
        "loaded": False,
        "cwd": str(office.cwd),
        "agent": {
            **about,
            "origin": str(path),
            "digest": info.config_digest,
            "workspace": "",
            "fields": {"name": "poet"},
        },
        "withheld": [],
        "roots": [],
        "engine": {"name": "x", "origin": "settings", "program": engine["command"][0]},
        "env": ["API_KEY", "AREA"],
        "model": "",
        "mcpServers": ["docs"],
    }


@pytest.mark.parametrize("prompt", ["", "os._exit(3)"], ids=["an agent that stays", "an agent that dies"])
async def test_no_secret_that_a_session_was_given_is_stored(opened_desk, home, scripted, prompt):
    servers = [
        {"name": "local", "command": "x", "args": [SECRET], "env": [{"name": "TOKEN", "value": SECRET}]},
        {"name": "far", "type": "http", "url": "https://x", "headers": [{"name": "Key", "value": SECRET}]},
    ]
    engine = {**scripted("--token", SECRET, prompt=prompt), "env": {"API_KEY": SECRET}}
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x") as office:
            params = {"cwd": str(office.cwd), "mcpServers": servers}
            session = (await office.agent.new(Frame.of("session/new", params, id=0))).result["sessionId"]
            response = await office.prompt(session, "hello")
            assert response.failed == bool(prompt)
    stored = [path for path in home.rglob("*") if path.is_file() and session in path.name]
    assert stored
    assert [path for path in stored if SECRET in path.read_text()] == []


async def test_the_agent_learns_the_id_of_the_session_and_not_that_of_an_outer_one(opened_desk, tmp_path, monkeypatch):
    monkeypatch.setenv("KIRO_SESSION_ID", "an outer one")
    client = RecordingClient()
    engines = {"mem": ["--memory", str(tmp_path / "memory")]}
    with anyio.fail_after(20):
        async with opened_desk(client, engines=engines, engine="mem") as office:
            session = await office.start()
            await office.prompt(session, "/env KIRO_SESSION_ID")
            await office.close(session)
            await office.load(session, replay=False)
            await office.prompt(session, "/env KIRO_SESSION_ID")
            assert client.text(session) == f"KIRO_SESSION_ID={session} " * 2


async def test_what_a_request_says_to_the_desk_does_not_reach_the_agent_and_the_rest_does(opened_desk, scripted):
    client = RecordingClient()
    ours = {"agent": "kiro_default", "engine": "x"}
    with anyio.fail_after(20):
        async with opened_desk(
            client, engine_settings={"x": scripted(prompt="tell(json.dumps(opening))")}, engine="x"
        ) as office:
            params = {"cwd": str(office.cwd), "mcpServers": [], "editor": {"later": 1}}
            for meta in ({"kiro_core": ours, "editor": {"theme": "dark"}}, {"kiro_core": ours}):
                asked = Frame.of("session/new", {**params, "_meta": meta}, id=0)
                session = (await office.agent.new(asked)).result["sessionId"]
                await office.prompt(session, "what were you told?")
                rest = {key: value for key, value in meta.items() if key != "kiro_core"}
                assert json.loads(client.text(session)) == {**params, **({"_meta": rest} if rest else {})}


def by_mode(options, memory):
    return {
        "engines": {"x": [*options, "--memory", str(memory)]},
        "engine_settings": {"x": {"agents": "mode"}},
        "engine": "x",
    }


async def test_an_engine_with_modes_is_switched_to_the_configuration_and_gets_no_prompt_of_it(
    opened_desk, written, tmp_path
):
    written(name="poet", prompt="/echo Rhyme.")
    client, memory = RecordingClient(), tmp_path / "memory"
    with anyio.fail_after(20):
        async with opened_desk(client, agent="poet", **by_mode(["--modes", "plain,poet"], memory)) as office:
            answer = await office.new()
            assert answer["modes"]["currentModeId"] == "poet"
            assert answer["_meta"]["kiro_core"]["agent"] == "poet"
            assert agents_own(memory)["mode"] == "poet"
            await office.prompt(answer["sessionId"], "hello")
            assert "Rhyme." not in client.text()
            assert await told(office, answer["sessionId"], "agent_not_found") == []


async def test_an_engine_with_modes_is_not_switched_to_what_an_untrusted_folder_may_not_decide(opened_desk, tmp_path):
    folder = tmp_path / ".kiro" / "agents"
    folder.mkdir(parents=True)
    (folder / "lure.json").write_text(json.dumps({"hooks": {"agentSpawn": [{"command": "touch started"}]}}))
    client, memory = RecordingClient(), tmp_path / "memory"
    with anyio.fail_after(20):
        async with opened_desk(client, agent="lure", **by_mode(["--modes", "plain,lure"], memory)) as office:
            answer = await office.new()
            assert answer["modes"]["currentModeId"] == "plain"
            assert agents_own(memory)["mode"] == "plain"
            assert [notice["withheld"] for notice in await told(office, answer["sessionId"], "agent_untrusted")] == [
                ["hooks"]
            ]


@every_client
@pytest.mark.parametrize("options", [["--modes", "plain,other"], []], ids=["other modes", "no modes"])
async def test_a_mode_that_the_engine_does_not_have_is_told(opened_desk, written, tmp_path, client, options):
    written(name="poet", prompt="Rhyme.")
    with anyio.fail_after(20):
        async with opened_desk(client, agent="poet", **by_mode(options, tmp_path / "memory")) as office:
            session = await office.start()
            await office.prompt(session, "hello")
            (notice,) = heard(client, "agent_not_found", "_kiro.dev/agent/not_found")
            assert notice["requestedAgent"] == "poet"


@every_client
async def test_a_model_that_the_engine_does_not_have_is_told(opened_desk, written, client):
    written(name="poet", model="rehearsal-9")
    with anyio.fail_after(20):
        async with opened_desk(client, agent="poet") as office:
            answer = await office.new()
            assert answer["_meta"]["kiro_core"]["model"] == "rehearsal-1"
            await office.prompt(answer["sessionId"], "hello")
            (notice,) = heard(client, "model_not_found", "_kiro.dev/model/not_found")
            assert (notice["requestedModel"], notice["fallbackModel"]) == ("rehearsal-9", "rehearsal-1")


@every_client
async def test_a_configuration_that_cannot_be_read_is_told_with_its_path(opened_desk, written, client):
    path = written(name="poet", prompt=5)
    with anyio.fail_after(20):
        async with opened_desk(client, agent="poet") as office:
            answer = await office.new()
            assert answer["_meta"]["kiro_core"]["agent"] == "kiro_default"
            await office.prompt(answer["sessionId"], "hello")
            (notice,) = heard(client, "agent_config_error", "_kiro.dev/agent/config_error")
            assert notice["path"] == str(path)
            assert notice["error"]


async def test_at_load_a_changed_configuration_is_told_and_an_unchanged_one_is_not(opened_desk, written, tmp_path):
    engines = {"mem": ["--memory", str(tmp_path / "memory")]}
    written(name="poet", prompt="Rhyme.")
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engines=engines, engine="mem", agent="poet") as office:
            session = await office.start()
            await office.close(session)
            await office.load(session)
            await office.close(session)
            assert await told(office, session, "agent_drift") == []
        written(name="poet", prompt="Rhyme better.")
        client = RecordingClient()
        async with opened_desk(client, engines=engines, engine="mem") as office:
            await office.load(session)
            assert [notice["agent"] for notice in await told(office, session, "agent_drift")] == ["poet"]
            await office.prompt(session, "hello")
            assert "is not the one that the session was begun with" in client.text(session)


async def test_a_loaded_session_keeps_its_engine_and_tells_who_asked_for_another(opened_desk, tmp_path):
    engines = {"mem": ["--memory", str(tmp_path / "memory")]}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engines=engines, engine="mem") as office:
            session = await office.start()
        client = RecordingClient()
        async with opened_desk(client, engines=engines, engine="rehearsal") as office:
            assert (await office.load(session))["_meta"]["kiro_core"]["engine"] == "mem"
            (notice,) = await told(office, session, "engine_kept")
            assert (notice["engine"], notice["requested"]) == ("mem", "rehearsal")
            await office.prompt(session, "hello")
            assert "goes on with its own engine 'mem', not with 'rehearsal'" in client.text(session)


async def test_a_session_that_is_loaded_with_another_agent_and_in_another_folder_is_listed_so(
    opened_desk, written, tmp_path
):
    written(name="poet")
    engines = {"mem": ["--memory", str(tmp_path / "memory")]}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engines=engines, engine="mem") as office:
            session = await office.start()
        async with opened_desk(RecordingClient(), engines=engines, engine="mem", agent="poet") as office:
            office.cwd = tmp_path / "other"
            office.cwd.mkdir()
            await office.load(session)
            info = await office.desk.info(session)
    assert (info.agent, info.cwd) == ("poet", str(tmp_path / "other"))


def titled(title, **params):
    body = {"sessionUpdate": "session_info_update", "title": title}
    return "/raw " + json.dumps({"method": "session/update", "params": {**params, "update": body}})


@pytest.mark.parametrize("named", [True, False], ids=["of its session", "without a session id"])
async def test_a_title_that_the_agent_sets_wins_over_the_first_prompt_and_stays(opened_desk, named):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            own = {"sessionId": (await office.desk.info(session)).agent_session} if named else {}
            await office.prompt(session, "Fix the bug\n" + titled("The bug", **own))
            await office.prompt(session, "and the other one")
            assert (await office.desk.info(session)).title == "The bug"
            assert {frame.session for frame in client.frames} == ({session} if named else {session, None})


async def test_a_title_that_the_agent_sets_before_the_first_prompt_stays(opened_desk, scripted):
    code = "update(sessionUpdate='session_info_update', title='Mine')"
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient(), engine_settings={"x": scripted(opened=code)}, engine="x") as office:
            session = await office.start()
            while not (await office.desk.info(session)).title:
                pass
            await office.prompt(session, "Fix the bug")
            assert (await office.desk.info(session)).title == "Mine"


async def test_the_title_of_another_session_of_the_agent_is_not_this_ones(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.prompt(session, "Fix the bug\n" + titled("A helper's work", sessionId="child-1"))
            assert (await office.desk.info(session)).title == "Fix the bug"


async def test_another_agent_for_a_recorded_session_speaks_from_its_next_turn_on(opened_desk, tmp_path):
    agents = tmp_path / ".kiro" / "agents"
    agents.mkdir(parents=True)
    (agents / "strict.json").write_text('{"name": "strict", "prompt": "Be strict."}')
    engines = {"mem": ["--memory", str(tmp_path / "memory")]}
    client = RecordingClient(PeerInfo("editor", abilities=frozenset({"notices"})))
    with anyio.fail_after(20):
        async with opened_desk(client, engines=engines, engine="mem") as office:
            session = await office.start()
            await office.prompt(session, "one")
        async with opened_desk(client, engines=engines, engine="mem", agent="strict") as office:
            await office.load(session, replay=False)
            await office.prompt(session, "/blocks")
            assert "Be strict." in client.text(session)
            told = [update["title"] for update in client.updates(session) if update["sessionUpdate"] == "notice"]
            assert told == ["The session goes on as 'strict', no more as 'kiro_default'."]


@pytest.mark.parametrize("example", ["published.json", "published.md", "every-field.json"])
async def test_published_agent_configurations_run_with_the_rehearsal_agent(opened_desk, home, example):
    examples = Path(__file__).parents[1] / "agentconfig" / "examples"
    (home / "agents").mkdir(parents=True)
    for file in (example, "every-field-prompt.md"):
        (home / "agents" / file).write_bytes((examples / file).read_bytes())
    name = {"published.json": "rust-reviewer", "published.md": "published"}.get(example, "every-field")
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, agent=name) as office:
            session = await office.start(agentRequired=True)
            assert (await office.prompt(session, "hello")).result["stopReason"] == "end_turn"
            assert (await office.desk.info(session)).agent == name
            assert "hello" in client.text(session)
