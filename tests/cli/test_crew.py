"""Crews from the command line: what is told while they run, how they end, and how another process goes on."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import warm

from kiro_core.cli.crew.lines import spent

CREW = """
name = "notes"
task = "apples"

[[stages]]
id = "look"
prompt = "/echo Found {task}"

[[stages]]
id = "write"
prompt = "/echo Written: {stages.look.result}"
depends_on = "look"
"""
WAITS = """
name = "waits"

[[stages]]
id = "first"
prompt = "/echo one"

[[stages]]
id = "long"
prompt = "/sleep 600"
depends_on = "first"
"""
ASKS = 'name = "asks"\n[[stages]]\nid = "a"\nprompt = "/permission Measure"\n'


@pytest.fixture
def written(tmp_path):
    """Write a crew file; its name."""

    def write(text, name="crew.toml"):
        (tmp_path / name).write_text(text)
        return name

    return write


@pytest.fixture
def started(environment, tmp_path, home):
    """Start a run of the crew `WAITS`; the process, and the run's id once the agent of its second stage is at work."""
    processes = []

    def start(*options):
        command = [warm.PROGRAM, "crew", "run", *options, "--engine", "rehearsal"]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = warm.start(command, **pipes, text=True, cwd=tmp_path, env=environment)
        processes.append(process)
        run = process.stderr.readline().split()[1]
        assert "long: running\n" in iter(process.stderr.readline, "")
        until(lambda: any(is_at_work(log.read_bytes()) for log in home.rglob("*.jsonl")))
        return process, run

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def is_at_work(log):
    """Whether it is the record of an agent that was sent a long prompt."""
    return b"/sleep 600" in log and b'"turn_begun"' in log


def until(happened):
    latest = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < latest, "it does not happen"


def outcomes(report):
    return {stage["id"]: stage["outcome"] for stage in report["stages"]}


def test_each_step_is_told_on_stderr_and_the_report_goes_to_stdout(kiro, written):
    done = kiro("crew", "run", written(CREW), "--engine", "rehearsal")
    assert done.returncode == 0, done.stderr
    first, *steps = done.stderr.splitlines()
    assert steps == ["look: running", "look: succeeded", "write: running", "write: succeeded"]
    assert done.stdout.startswith("notes: succeeded\n  look")
    assert done.stdout.endswith("write:\nWritten: Found apples\n")
    assert re.search(r"^  write .* \d+ tokens$", done.stdout, re.MULTILINE)
    assert re.search(r"^Used: \d+ tokens$", done.stdout, re.MULTILINE)
    run = first.removeprefix("run: ")
    shown = kiro("crew", "show", run[:8])
    assert done.stdout in shown.stdout
    assert "session of look, attempt 1: " in shown.stdout
    assert run in kiro("crew", "show").stdout


def test_what_was_used_is_told_in_a_few_words():
    usage = {"total_tokens": 12345, "cost": {"USD": 0.456, "EUR": 1}, "credits": 0.5}
    assert spent(usage) == "12 345 tokens, 0.46 USD, 1.00 EUR, 0.50 credits"
    assert spent({"total_tokens": 0, "cost": {}, "credits": 0}) == ""


def test_a_task_is_put_in_and_the_report_is_one_object_also_later(kiro, written):
    done = kiro("crew", "run", written(CREW), "--engine", "rehearsal", "--task", "pears", "--output", "json")
    report = json.loads(done.stdout)
    assert (report["outcome"], report["stages"][1]["result"]) == ("succeeded", "Written: Found pears")
    assert json.loads(kiro("crew", "show", report["run"], "--json").stdout) == report


def test_a_task_alone_is_done_by_one_agent(kiro):
    done = kiro("crew", "run", "--task", "Count the stars", "--engine", "rehearsal", "--output", "json")
    report = json.loads(done.stdout)
    assert (report["name"], outcomes(report)) == ("Count the stars", {"task": "succeeded"})
    assert kiro("crew", "run").returncode == 2


def test_a_stage_that_fails_is_an_exit_code(kiro, written):
    failing = CREW.replace("/echo Found {task}", "/stop refusal")
    done = kiro("crew", "run", written(failing), "--engine", "rehearsal")
    assert done.returncode == 1
    assert "look: failed: The agent refused to do it.\n" in done.stderr
    assert "write: skipped: 'look' failed\n" in done.stderr


def test_what_runs_again_is_told_with_why_and_the_tree_has_each_attempt(kiro, written):
    name = written("""
name = "loop"
stages = [
  {id = "write", prompt = "/echo draft"},
  {id = "review", prompt = "/echo AGAIN", depends_on = "write", loop.target = "write", loop.trigger = "AGAIN",\
 loop.max_iterations = 1},
  {id = "other", prompt = "/stop refusal", retry = {times = 1, backoff_s = 0}},
]
""")
    done = kiro("crew", "run", name, "--engine", "rehearsal", "--set", "crew.max_parallel=1")
    first, *steps = done.stderr.splitlines()
    assert [step for step in steps if not step.startswith("other")] == [
        "write: running",
        "write: succeeded",
        "review: running",
        "review: sends the work back",
        "write: running (attempt 2)",
        "write: succeeded",
        "review: running (attempt 2)",
        "review: failed: its result still has 'AGAIN' after the work was sent back as often as it may be (1)",
    ]
    assert "other: runs again: The agent refused to do it." in steps
    (node,) = json.loads(kiro("sessions", "tree", first.removeprefix("run: "), "--json").stdout)
    assert [(each["name"], each["state"]) for each in node["below"]] == [
        ("write (attempt 1)", "sent back"),
        ("write (attempt 2)", "succeeded"),
        ("review (attempt 1)", "sent back"),
        ("review (attempt 2)", "failed"),
        ("other (attempt 1)", "failed"),
        ("other (attempt 2)", "failed"),
    ]
    assert "  failed" in next(line for line in kiro("crew", "show").stdout.splitlines() if "loop" in line)


def test_a_task_that_nobody_would_do_is_refused(kiro, written):
    done = kiro("crew", "run", written(WAITS), "--task", "Count", "--engine", "rehearsal")
    assert (done.returncode, done.stdout) == (1, "")
    assert "task: is given, and no prompt has {task}, so nobody would do it" in done.stderr
    assert "or write something" in kiro("crew", "run", "--task", "").stderr


def test_what_cannot_be_read_is_told_with_the_name_of_its_file(kiro, written):
    for name, reason in (
        ("gone.toml", "cannot be read"),
        (written("x", "a.toml"), "is not TOML"),
        ("-", "no crew file"),
    ):
        assert re.search(rf"^{name}: .*{reason}", kiro("crew", "run", name).stderr, re.MULTILINE)


def test_a_stage_for_which_no_engine_can_be_chosen_is_told_before_anything_starts(kiro, written):
    engines = [f"--set=engines.{name}.command=['{sys.executable}']" for name in ("one", "two")]
    done = kiro("crew", "run", written(CREW), *engines)
    assert (done.returncode, done.stdout) == (1, "")
    assert "stages.0.engine: is missing, and none can be chosen: " in done.stderr
    assert json.loads(kiro("crew", "show", "--json").stdout) == []


def test_a_stage_that_is_chosen_twice_is_wrong_usage(kiro):
    done = kiro("crew", "resume", "3f2a", "--rerun", "a", "--skip", "b", "--skip", "a")
    assert (done.returncode, "'a' is chosen twice" in done.stderr) == (2, True)


def test_all_that_is_wrong_with_a_crew_is_told_with_its_lines_before_anything_starts(kiro, written):
    name = written(CREW.replace('depends_on = "look"', 'depends_on = "lok"\nagent = "nobody"'))
    problems = [
        "crew.toml:11: stages.1.prompt: wants the result of 'look', which it does not depend on.",
        "crew.toml:12: stages.1.depends_on: names no stage that is known: 'lok'; did you mean 'look'?",
        "crew.toml:13: stages.1.agent: names no agent configuration that is known: 'nobody'.",
    ]
    checked = kiro("crew", "check", name)
    assert (checked.returncode, checked.stdout.splitlines()) == (1, problems)
    done = kiro("crew", "run", name, "--engine", "rehearsal")
    assert (done.returncode, done.stdout) == (1, "")
    assert [line.rstrip(".") for line in done.stderr.splitlines()[1:]] == [line.rstrip(".") for line in problems]
    assert json.loads(kiro("sessions", "list", "--json").stdout) == []
    assert kiro("crew", "check", written(CREW)).stdout == "notes: 2 stages, nothing is wrong.\n"
    assert kiro("crew", "check", written(ASKS)).stdout == "asks: 1 stage, nothing is wrong.\n"


def test_a_crew_is_drawn(kiro, written):
    assert kiro("crew", "graph", written(CREW)).stdout == "look\nwrite  after look\n"
    assert kiro("crew", "graph", written(CREW), "--mermaid").stdout.startswith("flowchart TD\n")
    assert kiro("crew", "graph", "gone.toml").returncode == 1


def test_ctrl_c_cancels_the_run_which_ends_in_its_report(started, written):
    process, _ = started(written(WAITS), "--output", "json")
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert outcomes(json.loads(told)) == {"first": "succeeded", "long": "cancelled"}


def test_a_run_whose_process_was_asked_to_end_goes_on_with_another_one(started, written, kiro):
    process, run = started(written(WAITS))
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert f"kiro-core crew resume {run[:8]}\n" in told
    shown = kiro("crew", "show", run)
    assert "Its process has ended" in shown.stderr
    assert "waits: waiting for `crew resume`\n" in shown.stdout
    assert re.search(r"^  long +cut off$", shown.stdout, re.MULTILINE)
    assert json.loads(kiro("crew", "show", "--json").stdout)[0]["outcome"] == "waiting"
    assert [line.split("  ")[-2] for line in kiro("sessions", "tree", run).stdout.splitlines()] == [
        "waiting for `crew resume`",
        "succeeded",
        "cut off",
    ]
    resumed = kiro("crew", "resume", run[:8])
    assert resumed.returncode == 1
    assert "waiting for --rerun or --skip: long\n" in resumed.stderr
    assert resumed.stdout.startswith("waits: waiting for `crew resume`\n")
    done = kiro("crew", "resume", run, "--skip", "long", "--output", "json")
    report = json.loads(done.stdout)
    assert (done.returncode, outcomes(report)) == (0, {"first": "succeeded", "long": "skipped"})
    assert [len(stage["attempts"]) for stage in report["stages"]] == [1, 1]
    again = kiro("crew", "resume", run)
    assert (again.returncode, again.stderr.splitlines()[0]) == (1, f"kiro-core: The run {run} has ended.")


def test_a_run_that_is_killed_goes_on_and_a_person_is_asked_about_what_was_cut_off(started, written, kiro, terminal):
    process, run = started(written(WAITS))
    process.kill()
    process.communicate(timeout=30)
    resuming = terminal("crew", "resume", run)
    resuming.expect("The stage long was cut off")
    os.kill(resuming.process.pid, signal.SIGINT)
    resuming.expect(f"Go on with the run: kiro-core crew resume {run[:8]}")
    assert resuming.ended() == 130
    resuming = terminal("crew", "resume", run, "--watch")
    resuming.expect("The stage long was cut off")
    resuming.type("2\n")
    assert resuming.ended() == 0
    report = json.loads(kiro("crew", "show", run, "--json").stdout)
    assert outcomes(report) == {"first": "succeeded", "long": "skipped"}


def test_at_a_terminal_one_watches_and_is_asked_what_the_agents_ask(terminal, written):
    watching = terminal("crew", "run", written(ASKS), "--engine", "rehearsal", "--watch")
    watching.expect("question: a: Measure")
    watching.type("1\n")
    watching.expect("asks: succeeded")
    assert watching.ended() == 0


def test_where_nobody_watches_what_the_agents_ask_is_denied(kiro, written):
    done = kiro("crew", "run", written(ASKS), "--engine", "rehearsal", "--output", "json")
    assert json.loads(done.stdout)["stages"][0]["result"] == "Permission: reject_once."


def test_a_run_of_a_crew_is_listed_and_shown_as_a_session(kiro, written):
    done = kiro("crew", "run", written(CREW), "--engine", "rehearsal", "--output", "json")
    run = json.loads(done.stdout)["run"]
    assert [one["kind"] for one in json.loads(kiro("sessions", "list", "--json").stdout)].count("run") == 1
    shown = kiro("sessions", "show", run)
    assert "kind: run\n" in shown.stdout
    assert "run: look settled succeeded" in shown.stdout
    assert f"crew resume {run[:8]}" in kiro("sessions", "attach", run).stderr
    refused = kiro("run", "--session", run, "hello")
    assert (refused.returncode, "a run of a crew" in refused.stderr) == (1, True)


def test_a_run_tells_which_members_its_end_has_ended(kiro):
    spawn = {"command": "spawn_session", "task": "/sleep 600", "name": "Ada"}
    prompt = f"/mcp crew session_management {json.dumps(spawn)}"
    told = kiro("run", "--engine", "rehearsal", "--set", 'crew.for_agents="all"', prompt)
    assert told.returncode == 0
    assert "while at work: Ada" in told.stderr
