"""What a shell hook of an agent configuration is told, what its end means, and that nothing of it stays behind."""

import json
import os
from contextlib import asynccontextmanager

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.agentconfig.triggers import TriggerRun
from kiro_core.agentconfig.triggers.cache import MAX_ENTRIES
from kiro_core.agentconfig.triggers.wording import name_of

EVENTS = ("agentSpawn", "userPromptSubmit", "preToolUse", "postToolUse", "stop")
SHELL = {"tool_name": "shell", "tool_input": {"command": "ls"}}
COUNTING = "echo ran >> count; cat count"


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


# What the exit code means.


@pytest.mark.parametrize("event", EVENTS)
async def test_exit_0_is_heard_where_there_is_somebody_to_hear_it(triggers, event):
    outcome = await triggers(**{event: ["echo hello; echo noise >&2"]}).run(event, {})
    assert outcome.context == ("hello" if event in ("agentSpawn", "userPromptSubmit") else "")
    assert (outcome.blocked, outcome.notices) == (None, [])
    assert [(run.event, run.name, run.status, run.stdout_bytes) for run in outcome.runs] == [(event, "echo", 0, 6)]


async def test_exit_2_keeps_a_tool_from_running_for_the_reason_on_stderr(triggers):
    outcome = await triggers(preToolUse=["echo no use; echo 'Not on a Friday.' >&2; exit 2"]).run("preToolUse", SHELL)
    assert outcome.blocked == "Not on a Friday."
    assert (outcome.context, outcome.notices) == ("", [])


async def test_exit_2_without_a_word_has_a_reason_all_the_same(triggers):
    outcome = await triggers(preToolUse=["exec ./gate.sh secret", "exit 2"]).run("preToolUse", SHELL)
    assert outcome.blocked.endswith("\nThe trigger exit does not allow it.")


@pytest.mark.parametrize("event", [event for event in EVENTS if event != "preToolUse"])
@pytest.mark.parametrize("code", [1, 2, 127])
async def test_any_failure_elsewhere_is_a_warning_and_blocks_nothing(triggers, event, code):
    command = f"echo unheard; echo 'It is broken.' >&2; exit {code}"
    outcome = await triggers(**{event: [command]}, origin="/a.json").run(event, {})
    assert (outcome.context, outcome.blocked) == ("", None)
    (notice,) = outcome.notices
    told = f"The trigger {event} (echo) of /a.json ended with status {code}. Its last words: It is broken."
    assert (notice.kind, notice.severity, notice.sentence) == ("trigger_failed", "warning", told)
    assert notice.details == {"event": event, "trigger": "echo", "status": code, "origin": "/a.json"}


@pytest.mark.parametrize("code", [1, 3, 255])
async def test_another_exit_code_keeps_the_tool_from_running_unless_it_may_fail_open(triggers, code):
    command = f"echo 'no database' >&2; exit {code}"
    closed = await triggers(preToolUse=[command]).run("preToolUse", SHELL)
    told = (
        f"The trigger preToolUse (echo) ended with status {code}, so the tool may not run. Its last words: no database"
    )
    assert (closed.blocked, [notice.sentence for notice in closed.notices]) == (told, [told])
    opened = await triggers(preToolUse=[command], fail_closed=()).run("preToolUse", SHELL)
    assert opened.blocked is None
    assert opened.notices[0].sentence == told.replace(", so the tool may not run", "")


async def test_one_that_a_signal_ends_has_failed(triggers):
    outcome = await triggers(preToolUse=["kill -KILL $$"]).run("preToolUse", SHELL)
    assert outcome.runs[0].status == -9
    assert outcome.blocked == "The trigger preToolUse (kill) ended with signal 9, so the tool may not run."


async def test_one_that_cannot_be_started_has_failed(triggers, tmp_path):
    gone = triggers(preToolUse=["true"], stop=["true"], cwd=tmp_path / "gone")
    outcome = await gone.run("preToolUse", SHELL)
    assert outcome.runs[0].status == "failed"
    assert outcome.blocked.startswith("The trigger preToolUse (true) could not be run, so the tool may not run. ")
    assert f"The working directory {tmp_path / 'gone'} does not exist." in outcome.blocked
    assert (await gone.run("stop", {})).blocked is None


async def test_a_launcher_that_breaks_is_no_consent(triggers, caplog):
    class Broken:
        @asynccontextmanager
        async def launch(self, command):
            raise ZeroDivisionError
            yield

    outcome = await triggers(preToolUse=["true"], launcher=Broken()).run("preToolUse", SHELL)
    assert outcome.runs[0].status == "failed"
    assert "could not be run" in outcome.blocked
    assert "its launcher failed" in caplog.text


# Time and trees.


@pytest.mark.parametrize("grandchild", ["sleep 600", "setsid sleep 600"])
async def test_one_that_takes_too_long_is_ended_with_all_that_it_started(triggers, held, tmp_path, grandchild):
    pipe = held("pipe")
    command = f"echo begun; exec 3>{pipe.path}; {grandchild} >/dev/null 2>&1 & echo up >&3; sleep 600"
    outcome = await triggers(preToolUse=[{"command": command, "timeout_ms": 3000}]).run("preToolUse", SHELL)
    assert outcome.runs[0].status == "timeout"
    assert (
        outcome.blocked == "The trigger preToolUse (echo) did not end in time and was ended, so the tool may not run."
    )
    assert await pipe.read() == b"up\n"
    await pipe.all_gone()


@pytest.mark.parametrize("event", [event for event in EVENTS if event != "preToolUse"])
async def test_elsewhere_a_time_out_is_a_warning_and_what_was_said_is_not_used(triggers, event):
    hooks = {event: [{"command": "echo early; sleep 600", "timeout_ms": 200}, "echo second"]}
    outcome = await triggers(**hooks).run(event, {})
    assert [run.status for run in outcome.runs] == ["timeout", 0]
    assert outcome.context in ("", "second")
    assert outcome.notices[0].sentence == f"The trigger {event} (echo) did not end in time and was ended."


async def test_what_a_trigger_leaves_behind_holds_up_nobody_and_is_ended(triggers, held):
    pipe = held("pipe")
    command = f"setsid sh -c 'exec 3>{pipe.path}; echo up >&3; sleep 600' & read _ < {pipe.path}.go; echo done"
    os.mkfifo(f"{pipe.path}.go")
    async with anyio.create_task_group() as tasks:

        async def let_it_end():
            assert await pipe.read() == b"up\n"
            with open(f"{pipe.path}.go", "w") as go:  # noqa: ASYNC230, PTH123 - a pipe whose other end is open
                go.write("\n")

        tasks.start_soon(let_it_end)
        outcome = await triggers(agentSpawn=[command]).run("agentSpawn", {})
    assert (outcome.context, outcome.runs[0].status) == ("done", 0)
    await pipe.all_gone()


async def test_cancelling_ends_the_one_that_runs(triggers, held, tmp_path):
    pipe = held("pipe")
    both = triggers(stop=[f"exec 3>{pipe.path}; echo up >&3; sleep 600", "touch second"])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(both.run, "stop", {})
        assert await pipe.read() == b"up\n"
        tasks.cancel_scope.cancel()
    await pipe.all_gone()
    assert not (tmp_path / "second").exists()


async def test_a_slow_trigger_of_one_session_touches_no_other(triggers, held):
    pipe = held("pipe")
    slow = triggers(preToolUse=[f"exec 3>{pipe.path}; echo up >&3; sleep 600"], session="slow")
    broken = triggers(preToolUse=["kill -KILL $$"], session="broken")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(slow.run, "preToolUse", SHELL)
        assert await pipe.read() == b"up\n"
        assert (await broken.run("preToolUse", SHELL)).blocked
        outcome = await triggers(userPromptSubmit=["echo $KIRO_SESSION_ID"], session="quick").run(
            "userPromptSubmit", {}
        )
        assert outcome.context == "quick"
        tasks.cancel_scope.cancel()


# What it is told.


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("agentSpawn", {}),
        ("userPromptSubmit", {"prompt": "Gr\u00fc\u00dfe \ud83d"}),
        ("preToolUse", SHELL),
        ("postToolUse", {**SHELL, "tool_response": {"success": True, "result": ["a", {"b": None}]}}),
        ("stop", {"assistant_response": "Done."}),
    ],
)
async def test_it_is_told_the_event_as_json_on_stdin(triggers, tmp_path, event, payload):
    await triggers(**{event: ["cat > told; pwd > where"]}).run(event, payload, tool="shell")
    told = json.loads((tmp_path / "told").read_text())
    assert told == {"hook_event_name": event, "cwd": str(tmp_path), "session_id": "s-1", **payload}
    assert (tmp_path / "where").read_text() == f"{tmp_path.resolve()}\n"


async def test_a_session_that_has_no_id_yet_is_left_out(triggers, tmp_path):
    unnamed = triggers(agentSpawn=["cat > told; echo ${KIRO_SESSION_ID-none}"], session="")
    assert (await unnamed.run("agentSpawn", {})).context == "none"
    assert json.loads((tmp_path / "told").read_text()) == {"hook_event_name": "agentSpawn", "cwd": str(tmp_path)}


async def test_its_environment_is_the_launchers_with_the_session_and_the_prompt(triggers, monkeypatch):
    monkeypatch.setenv("OURS", "inherited")
    command = 'printf "%s|" "$OURS" "$KIRO_SESSION_ID" "$USER_PROMPT"'
    prompt = "one\ntwo\t\x00\x1b[31m\ud83d" + "x" * 5000
    told = await triggers(userPromptSubmit=[command]).run("userPromptSubmit", {"prompt": prompt})
    ours, session, said, _ = told.context.split("|")
    assert (ours, session) == ("inherited", "s-1")
    assert said == "one\ntwo\t[31m?" + "x" * (4096 - 15)


async def test_one_that_does_not_read_what_it_is_told_is_not_waited_for(triggers):
    payload = {"tool_name": "write", "tool_input": {"text": "x" * 4_000_000}}
    outcome = await triggers(preToolUse=["exit 0", "exec 0<&-; exit 0"]).run("preToolUse", payload)
    assert [run.status for run in outcome.runs] == [0, 0]
    assert all(run.stdin_bytes > 4_000_000 for run in outcome.runs)


# Which of them run.


@pytest.mark.parametrize(
    ("matcher", "tool", "runs"),
    [
        (None, "shell", True),
        ("*", "shell", True),
        ("*", "@git/status", True),
        ("shell", "shell", True),
        ("execute_bash", "shell", True),
        ("fs_*", "write", True),
        ("shell", "write", False),
        ("@git", "@git/status", True),
        ("@git/status", "@git/status", True),
        ("@git/push", "@git/status", False),
        ("@git", "shell", False),
        ("@builtin", "shell", True),
        ("@builtin", "@git/status", False),
        ("Shell", "shell", False),
    ],
)
@pytest.mark.parametrize("event", ["preToolUse", "postToolUse"])
async def test_a_matcher_says_for_which_tools_it_runs(triggers, matcher, tool, runs, event):
    one = triggers(**{event: [{"command": "true", "matcher": matcher}]})
    assert len((await one.run(event, SHELL, tool=tool)).runs) == runs


async def test_a_tool_that_nobody_could_identify_passes_every_gate(triggers):
    hooks = [{"command": "exit 2", "matcher": "@git"}, {"command": "true"}]
    both = triggers(preToolUse=hooks, postToolUse=hooks)
    before, after = await both.run("preToolUse", SHELL), await both.run("postToolUse", SHELL)
    assert [run.name for run in before.runs] == ["exit", "true"]
    assert before.blocked
    assert [run.name for run in after.runs] == ["true"]


async def test_a_matcher_means_nothing_where_there_is_no_tool(triggers):
    outcome = await triggers(stop=[{"command": "true", "matcher": "shell"}]).run("stop", {})
    assert len(outcome.runs) == 1


async def test_all_of_an_event_run_in_order_and_every_reason_counts(triggers, tmp_path):
    hooks = ["echo 1 >> order; echo first >&2; exit 2", "echo 2 >> order", "echo 3 >> order; echo third >&2; exit 2"]
    outcome = await triggers(preToolUse=hooks, stop=["echo other >> order"]).run("preToolUse", SHELL)
    assert lines(tmp_path / "order") == ["1", "2", "3"]
    assert outcome.blocked == "first\nthird"


async def test_an_event_without_triggers_has_nothing_to_say(triggers):
    some = triggers(stop=["true"], preToolUse=[])
    assert "stop" in some
    assert "preToolUse" not in some
    assert "agentSpawn" not in some
    outcome = await some.run("agentSpawn", {})
    assert (outcome.context, outcome.blocked, outcome.runs, outcome.notices) == ("", None, [], [])


# How much of it is heard, and for how long.


async def test_what_several_say_is_heard_in_order(triggers):
    hooks = ["echo one", "true", "printf 'two\\n\\n'"]
    assert (await triggers(agentSpawn=hooks).run("agentSpawn", {})).context == "one\n\ntwo"


async def test_only_the_beginning_of_a_long_output_is_heard_and_the_rest_blocks_nobody(triggers):
    command = "printf 'abc\\303\\244'; head -c 3000000 /dev/zero; echo end > end"
    hooks = [{"command": command, "max_output_size": 4}]
    outcome = await triggers(agentSpawn=hooks).run("agentSpawn", {})
    assert outcome.context == "abc ... truncated"  # half of a character is left out
    assert (outcome.runs[0].status, outcome.runs[0].stdout_bytes) == (0, 3000005)


async def test_what_is_no_text_is_heard_as_far_as_it_is(triggers):
    outcome = await triggers(agentSpawn=["printf 'a\\377b'"]).run("agentSpawn", {})
    assert outcome.context == "a\N{REPLACEMENT CHARACTER}b"


@pytest.fixture
def clock(monkeypatch):
    """The time of all caches; `clock[0]` is now."""
    now = [1000.0]
    monkeypatch.setattr("kiro_core.agentconfig.triggers.cache.current_time", lambda: now[0])
    return now


async def test_what_may_be_kept_runs_again_when_its_time_is_over(triggers, clock):
    kept = triggers(userPromptSubmit=[{"command": COUNTING, "cache_ttl_seconds": 60}])
    for now, context, cached in ((0, "ran", False), (59, "ran", True), (61, "ran\nran", False), (90, "ran\nran", True)):
        clock[0] = 1000.0 + now
        outcome = await kept.run("userPromptSubmit", {"prompt": f"at {now}"})
        assert (outcome.context, outcome.runs[0].cached) == (context, cached)
    assert outcome.runs[0] == TriggerRun("userPromptSubmit", "echo", 0, stdout_bytes=8, cached=True)


async def test_without_a_time_nothing_is_kept(triggers):
    fresh = triggers(userPromptSubmit=[COUNTING])
    assert [(await fresh.run("userPromptSubmit", {})).context for _ in range(2)] == ["ran", "ran\nran"]


async def test_what_an_agents_start_says_is_never_kept(triggers):
    fresh = triggers(agentSpawn=[{"command": COUNTING, "cache_ttl_seconds": 60}])
    assert [(await fresh.run("agentSpawn", {})).context for _ in range(2)] == ["ran", "ran\nran"]


@pytest.mark.parametrize("code", [1, 2])
async def test_a_failure_is_not_kept_and_neither_is_a_denial(triggers, tmp_path, code):
    both = triggers(preToolUse=[{"command": f"echo ran >> count; exit {code}", "cache_ttl_seconds": 60}])
    for count in (1, 2):
        assert (await both.run("preToolUse", SHELL)).blocked
        assert len(lines(tmp_path / "count")) == count


async def test_a_consent_is_kept_for_the_same_call_alone(triggers, tmp_path):
    gate = triggers(
        preToolUse=[{"command": "grep -q '\"ls\"' && echo ran >> count || exit 2", "cache_ttl_seconds": 60}]
    )
    other = {"tool_name": "shell", "tool_input": {"command": "rm -r ."}}
    blocked = [(await gate.run("preToolUse", call)).blocked is not None for call in (SHELL, SHELL, other, SHELL)]
    assert blocked == [False, False, True, False]
    assert lines(tmp_path / "count") == ["ran"]


async def test_two_sessions_keep_nothing_in_common(triggers):
    hooks = {"userPromptSubmit": [{"command": COUNTING, "cache_ttl_seconds": 60}]}
    contexts = [(await triggers(**hooks).run("userPromptSubmit", {})).context for _ in range(2)]
    assert contexts == ["ran", "ran\nran"]


async def test_only_so_much_is_kept(triggers, tmp_path):
    kept = triggers(preToolUse=[{"command": "echo ran >> count", "cache_ttl_seconds": 60}])
    cache = kept._cache
    await kept.run("preToolUse", SHELL)
    for number in range(MAX_ENTRIES):
        cache.put(number, cache, 60)
    assert not (await kept.run("preToolUse", SHELL)).runs[0].cached
    assert len(cache._kept) == MAX_ENTRIES


# What is told of it.


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("./check.sh --token abc", "./check.sh"),
        ("TOKEN=abc OTHER='d e' ./check.sh", "./check.sh"),
        ("'my check' x", "my check"),
        ("# nothing", "sh"),
        ("TOKEN='abc def", "sh"),
        ("A=b", "sh"),
        ("x\x1b[31m\u202e y", "x?[31m?"),
        ("y" * 200, "y" * 80),
    ],
)
def test_it_is_named_by_its_program_alone(command, name):
    assert name_of(command) == name


@given(st.text())
def test_any_command_has_a_name_that_can_be_shown(command):
    name = name_of(command)
    assert name
    assert name.isprintable()


@given(st.text(), st.text())
def test_a_variable_in_front_of_a_command_is_never_its_name(value, command):
    assert "SECRET" not in name_of(f"SECRET={value} {command}") or "SECRET" in value + command


async def test_nothing_that_it_is_told_or_says_is_recorded_or_logged(triggers, caplog):
    caplog.set_level(0)
    command = "cat; echo told-stdout; cat >&2; exit 0"
    outcome = await triggers(preToolUse=[command]).run("preToolUse", {"tool_input": {"key": "told-secret"}})
    shown = repr((outcome.runs, outcome.notices)) + caplog.text
    assert "told-" not in shown
