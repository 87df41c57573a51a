"""The triggers of a configuration act in every session with any engine, and one session's touch no other."""

import json

import anyio
import pytest

from kiro_core.testing import RecordingClient

SHELL = {"toolCallId": "t1", "title": "shell", "kind": "execute", "rawInput": {"command": "make"}}
OPTIONS = [
    {"optionId": "yes", "name": "Yes", "kind": "allow_once"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
]
QUESTION = {"sessionId": "s", "toolCall": SHELL, "options": OPTIONS}
NAMES = {"tools": {"{tool}": "{tool}"}, "told": {"name": ["title"]}}
ASK = f"""
say(id='q', method='session/request_permission', params={QUESTION!r})
tell(json.loads(sys.stdin.readline())['result']['outcome']['optionId'])
tell(json.dumps([b['text'] for b in got['session/prompt']['prompt']]))
"""
RAN = f"""
update(sessionUpdate='tool_call', **{ {**SHELL, "status": "in_progress"}!r})
update(sessionUpdate='tool_call_update', toolCallId='t1', status='completed', rawOutput='made')
tell('done')
"""


@pytest.fixture
def hooked(home):
    """Write an agent configuration of the user's own with these triggers."""

    def write(name="hooked", **hooks):
        (home / "agents").mkdir(parents=True, exist_ok=True)
        (home / "agents" / f"{name}.json").write_text(json.dumps({"name": name, "hooks": hooks}))

    return write


def desk(opened_desk, scripted, client, code=ASK, **settings):
    engines = {"x": {**scripted(prompt=code), **NAMES}}
    return opened_desk(client, engine_settings=engines, engine="x", agent="hooked", **settings)


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("exit 0", "yes"),
        ("echo not on a Friday >&2; exit 2", "no"),
        ("exit 1", "no"),
        ("sleep 60", "no"),
        ("exec nowhere-to-be-found", "no"),
    ],
)
async def test_before_a_tool_each_exit_code_means_what_is_documented(opened_desk, scripted, hooked, command, answer):
    timeout_ms = 500 if "sleep" in command else 9000
    hooked(preToolUse=[{"matcher": "execute_bash", "command": command, "timeout_ms": timeout_ms}])
    client = RecordingClient()
    with anyio.fail_after(30):
        async with desk(opened_desk, scripted, client) as office:
            session = await office.start()
            await office.prompt(session, "go")
            assert f'{answer}["go"]' in client.text(session)
            (decision,) = [entry.value for entry in await office.entries(session, "decision")]
            assert decision["outcome"] == ("allowed" if answer == "yes" else "denied")
            assert len(await office.entries(session, "trigger")) == 1
            if "Friday" in command:
                assert "not on a Friday" in client.text(session)
                await office.prompt(session, "again")
                reason = "The tool call 'shell' was denied. A trigger preToolUse says: not on a Friday"
                assert reason in client.text(session)


async def test_a_failing_trigger_lets_a_tool_run_where_the_setting_says_so(opened_desk, scripted, hooked):
    hooked(preToolUse=[{"command": "exit 1"}])
    client = RecordingClient()
    with anyio.fail_after(30):
        async with desk(opened_desk, scripted, client, triggers={"fail_closed": []}) as office:
            session = await office.start()
            await office.prompt(session, "go")
            assert 'yes["go"]' in client.text(session)


async def test_what_triggers_print_at_the_start_and_before_a_prompt_reaches_the_model(opened_desk, scripted, hooked):
    hooked(agentSpawn=[{"command": "echo it is Monday"}], userPromptSubmit=[{"command": "echo asked: $USER_PROMPT"}])
    client = RecordingClient()
    with anyio.fail_after(30):
        async with desk(opened_desk, scripted, client) as office:
            session = await office.start()
            await office.prompt(session, "one")
            await office.prompt(session, "two")
            said = client.text(session)
            assert "it is Monday" in said[: said.index("asked: one")]
            assert said.count("it is Monday") == 1
            assert "asked: two" in said


async def test_after_a_tool_and_at_the_end_triggers_get_what_came_of_it(opened_desk, scripted, hooked, tmp_path):
    hooked(
        postToolUse=[{"matcher": "shell", "command": f"cat > {tmp_path / 'after'}"}],
        stop=[{"command": f"cat > {tmp_path / 'stop'}"}],
    )
    client = RecordingClient()
    with anyio.fail_after(30):
        async with desk(opened_desk, scripted, client, RAN) as office:
            session = await office.start()
            await office.prompt(session, "go")
            after = json.loads((tmp_path / "after").read_text())
            stop = json.loads((tmp_path / "stop").read_text())
    assert after["tool_name"] == "shell"
    assert after["tool_response"] == {"success": True, "result": ["made"]}
    assert (stop["assistant_response"], stop["session_id"]) == ("done", session)


async def test_a_slow_trigger_of_one_session_holds_up_no_other(opened_desk, scripted, hooked, tmp_path):
    waits = f'test "$USER_PROMPT" = fast || while [ ! -e {tmp_path}/flag ]; do sleep 0.05; done'
    hooked(userPromptSubmit=[{"command": waits}])
    client = RecordingClient()
    with anyio.fail_after(30):
        async with desk(opened_desk, scripted, client) as office:
            slow, fast = await office.start(), await office.start()
            waiting = await office.ask(slow, "slow")
            assert (await office.prompt(fast, "fast")).result["stopReason"] == "end_turn"
            assert client.text(slow) == ""
            (tmp_path / "flag").touch()
            assert (await waiting.settled()).result["stopReason"] == "end_turn"


async def test_a_child_session_has_its_triggers_too(opened_desk, scripted, hooked):
    hooked(preToolUse=[{"command": "exit 2"}])
    client = RecordingClient()
    with anyio.fail_after(30):
        async with desk(opened_desk, scripted, client) as office:
            child = await office.start(parent=await office.start())
            await office.prompt(child, "go")
            assert 'no["go"]' in client.text(child)


async def test_what_the_desk_does_for_an_agent_has_its_triggers_too(opened_desk, hooked, tmp_path):
    hooked(
        postToolUse=[
            {"matcher": "write", "command": f"cat >> {tmp_path / 'written'}"},
            {"matcher": "shell", "command": f"cat >> {tmp_path / 'run'}"},
        ]
    )
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), agent="hooked") as office:
            session = await office.start()
            await office.prompt(session, "/write a.md text")
            await office.prompt(session, "/run echo ran")
            await office.prompt(session, "hello")
            written = json.loads((tmp_path / "written").read_text())
            run = json.loads((tmp_path / "run").read_text())
    assert (written["tool_name"], written["tool_response"]["success"]) == ("write", True)
    assert (run["tool_name"], run["tool_input"]["command"]) == ("shell", "echo ran")


async def test_a_tool_that_nobody_asked_about_is_told_where_a_trigger_would_have_decided(opened_desk, scripted, hooked):
    hooked(preToolUse=[{"matcher": "shell", "command": "exit 2"}])
    client = RecordingClient()
    with anyio.fail_after(30):
        async with desk(opened_desk, scripted, client, RAN) as office:
            session = await office.start()
            await office.prompt(session, "go")
            assert "Unguarded: x asked nobody before this: shell" in client.text(session)
