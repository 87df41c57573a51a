"""Sessions: they start, fail, load and end each for itself."""

import json
import os
import sys

import anyio
import pytest

from kiro_core.errors import (
    AgentNotFound,
    AgentTimeout,
    AgentUnable,
    EngineNotFound,
    Held,
    LaunchFailed,
    RpcError,
    SessionBusy,
    SessionClosing,
    SessionNotFound,
)
from kiro_core.frames import Frame
from kiro_core.journal import entry
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo


async def kinds(office, session):
    return [entry(record).kind async for record in office.desk.read(session)]


async def test_the_answer_carries_agent_engine_and_model_and_an_id_of_ours(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            answer = await office.new()
            assert answer["_meta"]["kiro_core"] == {
                "agent": "kiro_default",
                "engine": "rehearsal",
                "model": "rehearsal-1",
            }
            info = await office.desk.info(answer["sessionId"])
            assert info.agent_session.startswith("rehearsal-")
            assert info.agent_session != info.id


async def test_a_session_that_hangs_at_its_start_delays_no_other(opened_desk):
    failures = []

    async def hang(office):
        with pytest.raises(SessionClosing) as caught:
            await office.start(engine="slow")
        failures.append(caught.value)

    with anyio.fail_after(30):
        async with (
            opened_desk(RecordingClient(), engines={"slow": ["--hang-at", "session/new"]}) as office,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(hang, office)
            while not office.desk.live:
                await anyio.lowlevel.checkpoint()
            (slow,) = office.desk.live.values()
            session = await office.start()
            assert (await office.prompt(session, "hello")).result["stopReason"] == "end_turn"
            await office.close(session)
            assert not slow.ready, "the other one is still starting"
            await slow.close()
    assert failures


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (["--die-at", "initialize", "7"], LaunchFailed, "status 7 before it was ready"),
        (["--die-at", "session/new", "7"], LaunchFailed, "status 7 before it was ready"),
        (["--hang-at", "initialize"], AgentTimeout, "initialize"),
        (["--hang-at", "session/new"], AgentTimeout, "session/new"),
    ],
)
async def test_a_start_that_fails_is_named_and_leaves_nothing_behind(opened_desk, options, error, words):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engines={"bad": options}, limits={"start_s": 3}) as office:
            with pytest.raises(error, match=words) as caught:
                await office.start(engine="bad")
            assert caught.value.sentence
            assert not office.desk.live
            (info,) = (await office.desk.sessions(_everything())).items
            assert (await kinds(office, info.id))[-2:] == ["process_ended", "closed"]


def _everything():
    from kiro_core.types import SessionQuery

    return SessionQuery()


async def test_a_program_that_is_missing_is_named_with_what_to_do(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(
            RecordingClient(), engine_settings={"gone": {"command": ["/nowhere/at-all"], "install": "Get it."}}
        ) as office:
            with pytest.raises(EngineNotFound, match="/nowhere/at-all"):
                await office.start(engine="gone")


async def test_a_program_that_speaks_no_acp_is_named_with_its_last_words(opened_desk):
    code = "import sys; sys.stderr.write('I am no agent\\n'); print('hello'); sys.exit(4)"
    with anyio.fail_after(20):
        async with opened_desk(
            RecordingClient(), engine_settings={"odd": {"command": [sys.executable, "-c", code]}}
        ) as office:
            with pytest.raises(LaunchFailed) as caught:
                await office.start(engine="odd")
            assert "status 4" in str(caught.value)
            assert "I am no agent" in caught.value.hint
            assert "I am no agent" in caught.value.details["stderr"]


async def test_a_program_that_never_answers_is_named_with_its_last_words(opened_desk):
    code = "import sys, time; sys.stderr.write('waiting for a login\\n'); sys.stderr.flush(); sys.stdin.read()"
    with anyio.fail_after(20):
        async with opened_desk(
            RecordingClient(),
            limits={"start_s": 1},
            engine_settings={"mute": {"command": [sys.executable, "-c", code]}},
        ) as office:
            with pytest.raises(AgentTimeout) as caught:
                await office.start(engine="mute")
            assert "waiting for a login" in caught.value.hint


async def test_a_loaded_session_replays_before_its_answer_and_goes_on_with_an_agent_that_remembers(
    opened_desk, tmp_path
):
    engines = {"mem": ["--memory", str(tmp_path / "memory")]}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engines=engines, engine="mem") as office:
            session = await office.start()
            await office.prompt(session, "remember the apple")
        client = RecordingClient()
        async with opened_desk(client, engines=engines, engine="mem") as office:
            await office.load(session)
            said = [update["sessionUpdate"] for update in client.updates(session)]
            assert said[0] == "user_message_chunk"
            assert said.count("user_message_chunk") == 1
            assert client.text(session).count("remember the apple") == 1
            assert (await office.prompt(session, "and the pear")).result["stopReason"] == "end_turn"
            assert "pear" in client.text(session)
            assert {frame.session for frame in client.frames} == {session}


async def test_a_session_that_is_resumed_is_not_replayed(opened_desk, tmp_path):
    engines = {"mem": ["--memory", str(tmp_path / "memory")]}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engines=engines, engine="mem") as office:
            session = await office.start()
            await office.prompt(session, "remember the apple")
            await office.load(session, replay=False)
            assert office.client.text(session).count("apple") == 1
        client = RecordingClient()
        async with opened_desk(client, engines=engines, engine="mem") as office:
            await office.load(session, replay=False)
            await office.prompt(session, "and the pear")
            assert "apple" not in client.text(session)
            assert "pear" in client.text(session)


async def test_a_loaded_session_whose_agent_cannot_continue_can_be_read_and_says_why_it_takes_no_prompt(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.prompt(session, "hello")
        client = RecordingClient()
        async with opened_desk(client, recovery=["resume", "load"]) as office:
            await office.load(session)
            assert "hello" in client.text(session)
            why = "it has no session/resume; it has no session/load; the setting `recovery` leaves out 'text'"
            with pytest.raises(AgentUnable, match=why):
                await office.ask(session, "again")
            await office.close(session)


async def test_loading_a_live_session_replays_it_and_the_running_turn_goes_on_for_both(opened_desk):
    first, second = RecordingClient(), RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(first) as office, office.desk.attach(second) as other:
            session = await office.start()
            turn = await office.ask(session, "/echo before\n/sleep 0.3\n/echo after")
            await first.until(lambda c: "before" in c.text(session))
            office.agent = other
            await office.load(session)
            await turn.settled()
            await second.until(lambda c: "after" in c.text(session))
            assert second.text(session).count("before") == 1
            assert second.text(session).count("after") == 1
            assert first.text(session) == "beforeafter"


async def test_of_two_openings_of_one_id_one_is_refused(opened_desk):
    results = []

    async def load(office, session):
        try:
            results.append(await office.load(session))
        except (Held, SessionBusy) as error:
            results.append(error)

    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.close(session)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(load, office, session)
                tasks.start_soon(load, office, session)
            assert sorted(type(result).__name__ for result in results) in (["Held", "dict"], ["SessionBusy", "dict"])


async def test_a_session_that_another_desk_holds_is_refused_with_its_owner(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office, opened_desk(RecordingClient()) as rival:
            session = await office.start()
            with pytest.raises(Held, match=str(os.getpid())):
                await rival.load(session)
            await office.close(session)
            await rival.load(session)


async def test_leaving_the_desk_ends_every_session_even_agents_that_refuse_to_end(opened_desk):
    pids = []
    with anyio.fail_after(40):
        async with opened_desk(RecordingClient(), limits={"close_s": 1, "shutdown_s": 2}) as office:
            for _ in range(3):
                session = await office.start()
                await office.prompt(session, "/ignore-term")
                pids.append(int((await office.desk.info(session)).agent_session.rsplit("-", 1)[1]))
                await office.ask(session, "/hang")
        for pid in pids:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
        async with opened_desk(RecordingClient()) as office:
            assert (await kinds(office, session))[-2:] == ["process_ended", "closed"]
            await office.load(session)


async def test_mcp_servers_are_waited_for_and_late_or_failed_ones_are_told(opened_desk):
    client = RecordingClient(PeerInfo("editor", abilities=frozenset({"notices"})))
    options = [option for state in ("ok=initialized", "bad=failed", "slow=late") for option in ("--mcp", state)]
    with anyio.fail_after(30):
        async with opened_desk(
            client,
            engines={"kiroish": options},
            engine="kiroish",
            engine_settings={"kiroish": {"reports_mcp": True}},
            limits={"mcp_start_s": 0.2},
        ) as office:
            await office.new(servers=["ok", "bad", "slow"])
            await client.until(lambda c: len([u for u in c.updates() if u["sessionUpdate"] == "notice"]) == 2)
            told = " ".join(u["title"] for u in client.updates() if u["sessionUpdate"] == "notice")
            assert "'bad' did not start" in told
            assert "'slow' has not started" in told


async def test_a_configuration_puts_its_prompt_in_front_of_the_first_turn_only_and_sets_its_model(opened_desk, home):
    (home / "agents").mkdir(parents=True)
    (home / "agents" / "poet.json").write_text('{"name":"poet","prompt":"/echo Rhyme.","model":"rehearsal-2"}')
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, agent="poet") as office:
            answer = await office.new()
            session = answer["sessionId"]
            assert answer["_meta"]["kiro_core"] == {"agent": "poet", "engine": "rehearsal", "model": "rehearsal-2"}
            assert next(o for o in answer["configOptions"] if o["id"] == "model")["currentValue"] == "rehearsal-2"
            await office.prompt(session, "first")
            await office.prompt(session, "second")
            assert client.text(session).count("Rhyme.") == 1
            recorded = [entry(record) async for record in office.desk.read(session)]
            assert all("Rhyme." not in str(e.frame.params) for e in recorded if e.kind == "prompt")
            assert (await office.desk.info(session)).title == "first"


async def test_an_agent_that_nobody_knows_falls_back_visibly(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            answer = await office.new(agent="nobody")
            assert answer["_meta"]["kiro_core"]["agent"] == "kiro_default"
            await office.prompt(answer["sessionId"], "hello")
            assert "No agent configuration is called 'nobody'" in client.text()


async def test_an_agent_that_nobody_knows_is_an_error_where_it_is_required(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            with pytest.raises(AgentNotFound, match="nobody"):
                await office.new(agent="nobody", agentRequired=True)
            assert not office.desk.live


async def test_a_kiro_client_hears_of_a_missing_agent_in_kiros_own_words(opened_desk):
    client = RecordingClient(PeerInfo("kiro-tui"))
    with anyio.fail_after(30):
        async with opened_desk(client) as office:
            session = await office.start(agent="nobody")
            await client.until(lambda c: any(f.method == "_kiro.dev/agent/not_found" for f in c.frames))
            told = next(f for f in client.frames if f.method == "_kiro.dev/agent/not_found")
            assert told.params == {"sessionId": session, "requestedAgent": "nobody", "fallbackAgent": "kiro_default"}


@pytest.mark.parametrize(
    "params", [{}, {"cwd": "relative"}, {"cwd": 5}, {"cwd": "/no/such/folder"}, {"cwd": "/", "mcpServers": {}}]
)
async def test_a_request_that_is_not_valid_is_refused_as_such(opened_desk, params):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            with pytest.raises(RpcError) as caught:
                await office.agent.new(Frame.of("session/new", params, id=0))
            assert caught.value.number == -32602


@pytest.mark.parametrize("session", ["../../etc/passwd", "00000000-0000-4000-8000-000000000000", "x"])
async def test_an_id_that_nobody_knows_is_not_found(opened_desk, session):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            with pytest.raises(SessionNotFound):
                await office.load(session)
            with pytest.raises(SessionNotFound):
                await office.ask(session, "hello")
            with pytest.raises(SessionNotFound):
                await office.close(session)


async def test_the_list_has_every_session_with_its_title_and_by_folder(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient()) as office:
            first = await office.start()
            await office.prompt(first, "\n  Fix the bug\nand more")
            office.cwd = tmp_path / "other"
            office.cwd.mkdir()
            second = await office.start()
            answer = (await office.agent.list(Frame.of("session/list", {}, id=0))).result["sessions"]
            assert [s["sessionId"] for s in answer] == [second, first]
            assert answer[1]["title"] == "Fix the bug"
            here = await office.agent.list(Frame.of("session/list", {"cwd": str(tmp_path)}, id=0))
            assert [s["sessionId"] for s in here.result["sessions"]] == [first]


async def refuse(_):
    return Frame.answer({"outcome": {"outcome": "selected", "optionId": "no"}})


async def test_nothing_of_the_sessions_folder_runs_before_it_is_trusted(opened_desk, tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('a stranger was here')")
    (tmp_path / "kiro_core.py").write_text("raise SystemExit('a stranger was here')")
    agents = tmp_path / ".kiro" / "agents"
    agents.mkdir(parents=True)
    hook = {"command": f"touch {tmp_path}/started"}
    server = {"command": "touch", "args": [f"{tmp_path}/started"]}
    (agents / "lure.json").write_text(json.dumps({"hooks": {"agentSpawn": [hook]}, "mcpServers": {"lure": server}}))
    client = RecordingClient(answer=refuse)
    with anyio.fail_after(30):
        async with opened_desk(client, agent="lure") as office:
            session = await office.start()
            await office.prompt(session, "hello")
            assert "hello" in client.text(session)
            assert f"of {tmp_path} is not used, since the folder is not trusted" in client.text(session)
    assert not (tmp_path / "started").exists()


async def test_a_helper_that_holds_the_agents_output_does_not_keep_its_session_alive(opened_desk):
    code = (
        "import subprocess, sys; sys.argv = ['x'];"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(15)'], start_new_session=True, stderr=-3);"
        "from kiro_core.rehearsal.__main__ import main; main()"
    )
    with anyio.fail_after(12):
        async with opened_desk(
            RecordingClient(), engine_settings={"holder": {"command": [sys.executable, "-P", "-c", code]}}
        ) as office:
            session = await office.start(engine="holder")
            response = await office.prompt(session, "/die 5")
            assert "status 5" in response.error["message"]
