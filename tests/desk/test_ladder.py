"""A recorded session goes on with what its agent can do, by the highest rung that works, and no step down is silent."""

import itertools
import json

import anyio
import pytest

from kiro_core.errors import AgentUnable, AuthRequired
from kiro_core.testing import RecordingClient

QUICK = {"start_s": 3, "mcp_start_s": 1}


def with_features(option, names):
    return [option, ",".join(sorted(names))] if names else []


async def notices(office, session, kind):
    found = await office.entries(session, "notice")
    return [item.value for item in found if item.value["notice"] == kind]


async def steps(office, session):
    return [item.value["to"] for item in await office.entries(session, "context_reset")]


async def processes(office, session):
    return len(await office.entries(session, "process_begun"))


async def gone_on(opened_desk, options, **settings):
    """Two desks after each other: what the second found, and the blocks that its agent was sent."""
    client = RecordingClient()
    engines = {"x": options}
    async with opened_desk(client, engines=engines, engine="x", **settings) as office:
        session = await office.start()
        await office.prompt(session, "the word is heliotrope")
    client = RecordingClient()
    async with opened_desk(client, engines=engines, engine="x", limits=QUICK, **settings) as office:
        await office.load(session)
        replayed = client.text(session)
        await office.prompt(session, "/blocks")
        told = client.text(session)[len(replayed) :]
        return office, session, replayed, told


CAN = [names for count in range(3) for names in itertools.combinations(("load", "resume"), count)]


@pytest.mark.parametrize("can", CAN, ids=",".join)
@pytest.mark.parametrize("remembers", [True, False])
@pytest.mark.parametrize("unknown", ["error", "exit", "hang"])
async def test_every_combination_of_abilities_goes_on(opened_desk, tmp_path, can, remembers, unknown):
    if remembers and unknown != "error":
        pytest.skip("an agent that remembers refuses nothing")
    cannot = {"load", "resume"} - set(can)
    options = [*with_features("--with", can), *with_features("--without", cannot), "--unknown-load", unknown]
    options += ["--memory", str(tmp_path / "memory")] if remembers else []
    with anyio.fail_after(60):
        office, session, replayed, told = await gone_on(opened_desk, options)
        assert replayed.count("heliotrope") == 1, "the record is replayed once, whatever the agent does"
        keeps = remembers and bool(can)
        assert ("heliotrope" in told) is not keeps
        assert await steps(office, session) == ([] if keeps else ["text"])
        restarts = 0 if keeps or unknown == "error" else len(can)
        assert await processes(office, session) == 2 + restarts
        (reset,) = [await notices(office, session, "context_reset")]
        assert len(reset) == (0 if keeps else 1)
        names = {"error": "failed", "exit": "ended with status 0", "hang": "did not answer"}
        for rung in () if keeps else can:
            assert f"session/{rung} failed" in reset[0]["reason"]
            assert names[unknown] in reset[0]["reason"]


@pytest.mark.parametrize("like", ["kiro", "claude", "codex", "gemini"])
@pytest.mark.parametrize("remembers", [True, False])
async def test_every_engine_that_is_known_goes_on(opened_desk, tmp_path, like, remembers):
    options = ["--like", like, *(["--memory", str(tmp_path / "memory")] if remembers else [])]
    with anyio.fail_after(60):
        office, session, replayed, told = await gone_on(opened_desk, options)
        assert "heliotrope" in replayed
        keeps = remembers and like != "gemini"  # which never finds what another process began
        assert await steps(office, session) == ([] if keeps else ["text"])
        assert ("<conversation>" in told) is not keeps


async def test_an_agent_whose_resume_fails_is_asked_to_load(opened_desk, scripted):
    refuses = scripted(
        initialize="answers['initialize']['agentCapabilities'] = "
        "{'loadSession': True, 'sessionCapabilities': {'resume': {}}}",
        resume="refuse(-32603, 'no such thread')",
        load="tell('an old word')",
    )
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": refuses}, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await office.close(session)
            await office.load(session)
            await office.prompt(session, "again")
            assert await steps(office, session) == ["load"]
            (told,) = await notices(office, session, "context_reset")
            assert "no such thread" in told["text"]
            assert "an old word" not in client.text(session), "what the agent replays is no news"
            assert not await notices(office, session, "history_not_shown")


async def test_an_answer_with_another_session_is_no_success(opened_desk, scripted):
    engine = scripted(
        initialize="answers['initialize']['agentCapabilities'] = {'loadSession': True}",
        load="answers['session/load'] = {'sessionId': 'another'}",
    )
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await office.close(session)
            await office.load(session)
            (reset,) = await office.entries(session, "context_reset")
            assert "answered with another session, 'another'" in reset.value["reason"]
            assert reset.value["to"] == "text"


@pytest.mark.parametrize("text", [True, False])
async def test_an_agent_that_claims_to_have_loaded_and_shows_no_history_is_doubted(opened_desk, text):
    options = ["--with", "load", "--unknown-load", "silent"]
    recovery = ["load", "text"] if text else ["load"]
    with anyio.fail_after(30):
        office, session, _, _ = await gone_on(opened_desk, options, recovery=recovery)
        (told,) = await notices(office, session, "history_not_shown")
        assert "may not remember" in told["text"]
        assert await steps(office, session) == []


@pytest.mark.parametrize("allowed", [[], ["load"], ["resume"], ["resume", "load"]])
async def test_without_the_settings_leave_nothing_begins_anew(opened_desk, allowed):
    client = RecordingClient()
    engines = {"x": ["--with", "load,resume"]}
    with anyio.fail_after(30):
        async with opened_desk(client, engines=engines, engine="x", recovery=allowed) as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await office.close(session)
            answer = await office.load(session)
            assert "refusesPrompts" in answer["_meta"]["kiro_core"]
            with pytest.raises(AgentUnable, match="leaves out 'text'") as caught:
                await office.ask(session, "again")
            for rung in ("resume", "load"):
                assert (f"session/{rung} failed" in str(caught.value)) is (rung in allowed)
            assert await steps(office, session) == []


async def test_an_agent_that_wants_a_login_first_is_no_reason_to_step_down(opened_desk, tmp_path):
    file = tmp_path / "login"
    file.touch()
    engines = {"x": ["--memory", str(tmp_path / "memory"), "--auth", "key", "--auth-file", str(file)]}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engines=engines, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await office.close(session)
            file.unlink()
            with pytest.raises(AuthRequired):
                await office.load(session)
            assert await steps(office, session) == []


async def test_a_conversation_told_as_text_is_told_again_until_a_turn_has_ended(opened_desk, scripted):
    """The new agent session is worth nothing before its first turn: a death until then must not lose the context."""
    engine = scripted(prompt="if 'die' in asked['params']['prompt'][-1]['text']: os._exit(4)")
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": engine}, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "heliotrope")
            await office.close(session)
            await office.load(session)
            assert (await office.prompt(session, "die")).error["data"]["code"] == "AGENT_GONE"
            await office.close(session)
            await office.load(session)
            await office.prompt(session, "again")
            assert await steps(office, session) == ["text", "text"]


async def test_the_text_has_what_was_said_within_its_budget(opened_desk):
    engines = {"x": []}
    long = "x" * 3000
    with anyio.fail_after(30):
        async with opened_desk(
            RecordingClient(), engines=engines, engine="x", limits={"max_retold_characters": 1000}
        ) as office:
            session = await office.start()
            await office.prompt(session, f"first\n{long}")
            await office.prompt(session, "/tool read it\n/echo done")
            await office.close(session)
            client = office.client
            await office.load(session)
            before = len(client.text(session))
            await office.prompt(session, "/blocks")
            blocks = json.loads(client.text(session)[before:].partition("[{")[2].join(["[{", ""]))
            told = blocks[0]["text"]
            assert told.startswith("<conversation>")
            assert told.endswith("</conversation>")
            assert "beginning is left out" in told
            assert "first" not in told
            assert len(told) < 1400
            assert "> done" in told
            assert blocks[-1]["text"] == "/blocks"


async def test_a_mode_and_options_come_back(opened_desk):
    engines = {"x": ["--modes", "slow,fast", "--with", "modes,more-options"]}
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, engines=engines, engine="x") as office:
            answer = await office.new()
            session = answer["sessionId"]
            modes = [mode["id"] for mode in answer["modes"]["availableModes"]]
            mode = next(name for name in modes if name != answer["modes"]["currentModeId"])
            await office.call("session/set_mode", session, modeId=mode)
            other = next(
                option
                for option in answer["configOptions"]
                if option["id"] not in ("agent", "engine", "model", "mode") and option.get("options")
            )
            value = next(o["value"] for o in other["options"] if o["value"] != other["currentValue"])
            await office.set(session, other["id"], value)
            await office.prompt(session, "hello")
            await office.close(session)
            answer = await office.load(session)
            assert answer["modes"]["currentModeId"] == mode
            now = {option["id"]: option.get("currentValue") for option in answer["configOptions"]}
            assert now[other["id"]] == value
            before = len(client.text(session))
            await office.prompt(session, "/say-choices")
            assert f'"{value}"' in client.text(session)[before:]
