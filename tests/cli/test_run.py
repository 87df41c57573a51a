"""One turn from the command line: what it prints, how it ends, and that nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import warm

SAID = "This is the rehearsal agent, which repeats what it is told: "
REHEARSAL = ("run", "--engine", "rehearsal")


@pytest.fixture
def started(environment, tmp_path):
    """Start a run whose agent has said so much, and is at work on the rest of the prompt."""
    processes = []

    def start(prompt, *options):
        command = [warm.PROGRAM, *REHEARSAL, "--output", "stream-json", *options, f"/echo at work\n{prompt}"]
        process = warm.start(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=environment,
        )
        processes.append(process)
        session = json.loads(process.stdout.readline())["sessionId"]
        assert b"at work" in process.stdout.readline()
        return process, session

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def last_object(text):
    return json.loads(text.splitlines()[-1])


def pid_of_agent(kiro, session):
    records = json.loads(kiro("sessions", "show", session, "--json").stdout)["records"]
    (begun,) = [record["data"]["process"] for record in records if record["kind"] == "process_begun"]
    return int(begun.removeprefix("pid "))


def test_text_is_the_agents_words_and_a_newline(kiro):
    done = kiro(*REHEARSAL, "Hello")
    assert (done.returncode, done.stdout, done.stderr) == (0, SAID + "Hello\n", "")


def test_text_that_ends_with_a_newline_gets_no_second_one(kiro):
    done = kiro(*REHEARSAL, "/help")
    assert done.stdout.endswith("\n")
    assert not done.stdout.endswith("\n\n")


@pytest.mark.parametrize("prompt", [["-"], []])
def test_the_prompt_is_read_from_a_pipe(kiro, prompt):
    done = kiro(*REHEARSAL, *prompt, stdin="Hello\n")
    assert (done.returncode, done.stdout) == (0, SAID + "Hello\n")


def test_thoughts_are_hidden_and_a_tool_call_is_one_line_for_people(kiro):
    done = kiro(*REHEARSAL, "/thought secret\n/echo Before\n/tool Look\n/echo after")
    assert (done.stdout, done.stderr) == ("Before\nafter\n", "tool: Look\n")


def test_a_tool_call_that_fails_ends_the_line_of_the_text_before(environment, tmp_path):
    command = [warm.PROGRAM, *REHEARSAL, "/permission Erase"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
    told, _ = warm.start(command, **pipes, cwd=tmp_path, env=environment).communicate(timeout=60)
    assert b"reject_once. \ntool: Erase: failed\n" in told


def test_json_is_one_object_with_everything(kiro):
    done = kiro(*REHEARSAL, "--output", "json", "/echo Before\n/tool Look\n/echo after")
    whole = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert {key: whole[key] for key in ("agent", "engine", "model", "stopReason", "text", "questions", "notices")} == {
        "agent": "kiro_default",
        "engine": "rehearsal",
        "model": "rehearsal-1",
        "stopReason": "end_turn",
        "text": "Before\nafter",
        "questions": [],
        "notices": [],
    }
    (call,) = whole["toolCalls"]
    assert (call["title"], call["status"]) == ("Look", "completed")
    assert whole["usage"]["totalTokens"] > 0
    assert kiro("sessions", "show", whole["sessionId"]).returncode == 0


def test_stream_json_has_a_line_for_each_thing_as_received(kiro):
    done = kiro(*REHEARSAL, "--output", "stream-json", "/echo one\n/permission Erase")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["type"] for line in lines] == ["session", "update", "update", "question", "update", "update", "result"]
    assert lines[1]["update"]["content"] == {"type": "text", "text": "one"}
    assert lines[3]["title"] == "Erase"
    assert lines[-1]["sessionId"] == lines[0]["sessionId"]


def test_an_update_that_is_no_strict_json_does_not_break_the_stream(kiro):
    update = '{"sessionUpdate": "odd", "half": "\\ud800"}'
    line = f'{{"jsonrpc": "2.0", "method": "session/update", "params": {{"sessionId": "any", "update": {update}}}}}'
    done = kiro(*REHEARSAL, "--output", "stream-json", f"/raw {line}\n/echo after")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert "raw_b64" in lines[1]
    assert lines[-1]["text"] == "after"


def test_nobody_to_ask_means_denied(kiro):
    done = kiro(*REHEARSAL, "/permission Erase")
    assert (done.returncode, done.stdout) == (5, "Permission: reject_once. \n")
    assert "question: Erase: denied, since nobody is here who could be asked\n" in done.stderr
    told = json.loads(kiro(*REHEARSAL, "--output", "json", "/permission Erase").stdout)
    assert [(question["title"], question["outcome"]) for question in told["questions"]] == [("Erase", "denied")]


def test_a_refusal_has_its_exit_code(kiro):
    assert kiro(*REHEARSAL, "/stop refusal").returncode == 5


@pytest.mark.parametrize("reason", ["max_tokens", "max_turn_requests"])
def test_an_answer_that_was_cut_short_is_done(kiro, reason):
    assert kiro(*REHEARSAL, f"/stop {reason}").returncode == 0


def test_a_named_agent_that_is_missing_has_its_exit_code(kiro):
    done = kiro(*REHEARSAL, "--agent", "nobody", "Hello")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("kiro-core: No agent configuration is called 'nobody'.\n")


def test_a_missing_agent_of_the_settings_falls_back_visibly(kiro):
    done = kiro(*REHEARSAL, "--set", "agent=nobody", "Hello")
    assert (done.returncode, done.stdout) == (0, SAID + "Hello\n")
    assert done.stderr.startswith("notice: No agent configuration is called 'nobody'")


def test_a_named_agent_is_used(kiro, home):
    folder = home / "agents"
    folder.mkdir()
    (folder / "polite.json").write_text(json.dumps({"name": "polite", "prompt": "Say please."}))
    told = json.loads(kiro(*REHEARSAL, "--agent", "polite", "--output", "json", "Hello").stdout)
    assert told["agent"] == "polite"


def test_an_agent_that_dies_is_a_failure_with_its_last_words(kiro):
    done = kiro(*REHEARSAL, "--output", "json", "/die 3")
    assert done.returncode == 1
    assert "ended with status 3" in done.stderr
    assert "status 3" in json.loads(done.stdout)["error"]["message"]


@pytest.mark.parametrize("form", ["json", "stream-json"])
@pytest.mark.parametrize(
    ("options", "code"), [(("--engine", "nope"), "NAME_UNKNOWN"), (("--set", "limits.start_s=-1"), "SETTINGS_INVALID")]
)
def test_a_turn_that_could_not_begin_is_told_to_a_program_too(kiro, form, options, code):
    done = kiro("run", *options, "--output", form, "Hello")
    (told,) = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 2
    assert (told["sessionId"], told["stopReason"], told["text"]) == ("", None, "")
    assert told["error"]["data"]["code"] == code
    assert " ".join(done.stderr.split()) == f"kiro-core: {told['error']['message']}"


def test_an_error_of_the_agent_is_a_failure_in_a_sentence(kiro):
    done = kiro(*REHEARSAL, "/error 7 No more credits.")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "kiro-core: The turn failed: No more credits.\n"


def test_a_program_that_does_not_start_is_a_failure(kiro):
    done = kiro("run", "--set", 'engines.mine.command=["/nowhere/agent"]', "--engine", "mine", "Hello")
    assert (done.returncode, done.stdout) == (1, "")
    assert "/nowhere/agent" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--engine", "nope", "Hello"), "No engine is called 'nope'"),
        (("--cwd", "/nowhere", "Hello"), "'/nowhere' does not exist"),
        (("--output", "xml", "Hello"), "'xml' is not one of"),
        (("--engine", "rehearsal", " "), "The prompt is empty"),
        (("--set", "limits.start=9", "Hello"), "no key 'limits.start'"),
        (("--set", "limits", "Hello"), "is not KEY=VALUE"),
        (("--config", "/nowhere/kiro.toml", "Hello"), "/nowhere/kiro.toml"),
    ],
)
def test_wrong_usage_has_its_exit_code_and_says_what_is_wrong(kiro, arguments, reason):
    done = kiro("run", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert reason in done.stderr


def test_a_session_goes_on_where_it_was_without_telling_it_again(kiro, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    first = json.loads(kiro("run", "--engine", "mem", "--cwd", folder, "--output", "json", "one").stdout)
    second = kiro("run", "--session", first["sessionId"][:8], "--output", "json", "two")
    told = json.loads(second.stdout)
    assert (second.returncode, told["sessionId"], told["text"]) == (0, first["sessionId"], SAID + "two")
    (listed,) = json.loads(kiro("sessions", "list", "--json").stdout)
    assert (listed["cwd"], listed["title"]) == (str(folder), "one")


def test_a_session_that_its_agent_has_forgotten_goes_on_and_is_told_so(kiro):
    first = json.loads(kiro(*REHEARSAL, "--output", "json", "one").stdout)
    second = kiro("run", "--session", first["sessionId"], "two")
    assert second.returncode == 0
    assert "You:\n> This is the rehearsal agent" in second.stdout
    assert "begins anew and is told the conversation as text" in second.stderr


def test_without_the_settings_leave_a_session_that_its_agent_has_forgotten_is_refused(kiro, environment):
    environment["KIRO_CORE_RECOVERY"] = "resume,load"
    first = json.loads(kiro(*REHEARSAL, "--output", "json", "one").stdout)
    second = kiro("run", "--session", first["sessionId"], "two")
    assert (second.returncode, second.stdout) == (1, "")
    assert "the setting `recovery` leaves out 'text'" in second.stderr


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("3f2a1c00-0000-4000-8000-000000000000", "3f2a1c00"),
        ("3f2a", "No session has an id that begins"),
        ("3f", "too short"),
    ],
)
def test_a_session_that_nobody_knows_is_a_failure(kiro, written, reason):
    done = kiro("run", "--session", written, "two")
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_the_turn(kiro, started, number):
    process, session = started("/sleep 60")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert last_object(out)["stopReason"] == "cancelled"
    assert b"Cancelling" in err
    assert "turn: cancelled" in kiro("sessions", "show", session).stdout
    with pytest.raises(ProcessLookupError):
        os.kill(pid_of_agent(kiro, session), 0)


def test_an_agent_that_does_not_confirm_a_cancel_is_ended(kiro, started):
    process, session = started("/ignore-term\n/echo deaf\n/hang", "--set", "limits.close_s=0.5")
    assert b"deaf" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert (process.returncode, last_object(out)["stopReason"]) == (130, "cancelled")
    with pytest.raises(ProcessLookupError):
        os.kill(pid_of_agent(kiro, session), 0)


def test_a_second_signal_does_not_wait_for_the_agent(started):
    process, _ = started("/hang", "--set", "limits.close_s=600", "--set", "limits.shutdown_s=0.5")
    process.send_signal(signal.SIGINT)
    assert b"another Ctrl-C" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130


def test_a_run_that_another_process_asks_to_end_says_so(started):
    process, _ = started("/hang")
    process.send_signal(signal.SIGTERM)
    assert b"Another process asked this one to end (SIGTERM)." in process.stderr.readline()
    process.communicate(timeout=30)
    assert process.returncode == 130


def test_a_signal_before_the_session_is_open_ends_the_run(environment, tmp_path):
    mark = tmp_path / "started"
    script = tmp_path / "agent"
    script.write_text(f"#!/bin/sh\n: > {mark}\nexec {sys.executable} -m kiro_core.rehearsal --hang-at session/new\n")
    script.chmod(0o755)
    os.mkfifo(mark)
    command = [warm.PROGRAM, "run", "--set", f'engines.slow.command=["{script}"]', "--engine", "slow", "Hello"]
    with warm.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
        mark.open("rb").close()  # returns when the agent's script has begun
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"")


def test_a_session_is_free_after_its_run_was_cancelled(kiro, started):
    process, session = started("/sleep 60", "--engine", "mem")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert kiro("run", "--session", session, "/echo back").stdout == "back\n"


def test_a_session_that_another_run_has_open_is_refused_where_that_is_asked_for(kiro, started):
    process, session = started("/sleep 60", "--engine", "mem")
    second = kiro("run", "--session", session, "--when-busy", "reject", "Hello")
    assert (second.returncode, second.stdout) == (1, "")
    assert second.stderr.startswith(
        f"kiro-core: The session {session} is held by `kiro-core run`, pid {process.pid} on"
    )


def test_a_session_that_another_run_has_open_is_waited_for(started, environment):
    first, session = started("/sleep 60", "--engine", "mem")
    command = [warm.PROGRAM, "run", "--session", session, "/echo next"]
    with warm.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as second:
        first.send_signal(signal.SIGINT)
        answer, told = second.communicate(timeout=60)
    # Whoever waits for long is told so, and on a slow machine this is long.
    assert (answer, told.count(b"\n"), b"Waiting for it" in told) in [(b"next\n", 0, False), (b"next\n", 1, True)]
    assert (first.wait(30), second.returncode) == (130, 0)


def test_who_waits_for_a_session_does_not_wait_for_ever(kiro, started):
    process, session = started("/sleep 60", "--engine", "mem")
    second = kiro("run", "--session", session, "--set", "limits.question_s=0.5", "Hello")
    assert (second.returncode, second.stdout) == (1, "")
    assert f"is held by `kiro-core run`, pid {process.pid} on" in second.stderr


def test_another_run_is_interrupted_where_that_is_asked_for(kiro, started):
    first, session = started("/sleep 60", "--engine", "mem")
    second = kiro("run", "--session", session, "--when-busy", "interrupt", "/echo mine now")
    assert (second.returncode, second.stdout) == (0, "mine now\n")
    out, _ = first.communicate(timeout=30)
    assert (first.returncode, last_object(out)["stopReason"]) == (130, "cancelled")


def test_what_serves_more_than_one_session_is_not_interrupted(kiro, started, environment):
    first, session = started("/echo once", "--engine", "mem")
    first.communicate(timeout=30)
    command = [warm.PROGRAM, "chat", "--session", session]
    with warm.start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as chat:
        chat.stdin.write(b"/echo here\n")
        chat.stdin.flush()
        assert chat.stdout.readline() == b"here\n"
        second = kiro("run", "--session", session, "--no-attach", "--when-busy", "interrupt", "Hello")
        assert (second.returncode, second.stdout) == (1, "")
        assert f"held by `kiro-core chat`, pid {chat.pid} on" in second.stderr
        assert "which cannot be interrupted from here.\nClose it there" in second.stderr
        out, _ = chat.communicate(b"/echo still here\n", timeout=30)
    assert out == b"still here\n"


def test_the_last_session_of_the_folder_goes_on(kiro, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    none = kiro("run", "--engine", "mem", "--last", "Hello")
    assert (none.returncode, none.stdout) == (1, "")
    assert none.stderr == f"kiro-core: There is no session yet in {tmp_path}.\nBegin one: leave out --last.\n"
    first, second, third = (
        json.loads(kiro("run", "--engine", "mem", "--output", "json", *options, "Hello").stdout)["sessionId"]
        for options in ((), (), ("--cwd", "elsewhere"))
    )
    assert json.loads(kiro("run", "--last", "--output", "json", "on").stdout)["sessionId"] == second
    assert json.loads(kiro("run", "--session", first, "--output", "json", "on").stdout)["sessionId"] == first
    assert json.loads(kiro("run", "--last", "--output", "json", "on").stdout)["sessionId"] == first
    told = kiro("run", "--last", "--cwd", "elsewhere", "--output", "json", "on")
    assert json.loads(told.stdout)["sessionId"] == third


def test_a_named_session_is_made_once_for_a_folder(kiro, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    made, other, again, elsewhere = (
        json.loads(kiro("run", "--engine", "mem", "--output", "json", *options, "Hello").stdout)["sessionId"]
        for options in (("-s", "review"), ("-s", "other"), ("-s", "review"), ("-s", "review", "--cwd", "elsewhere"))
    )
    assert made == again
    assert len({made, other, elsewhere}) == 3
    listed = {info["id"]: info["name"] for info in json.loads(kiro("sessions", "list", "--json").stdout)}
    assert listed == {made: "review", other: "other", elsewhere: "review"}


@pytest.mark.parametrize(
    "options", [("--last", "-s", "mine"), ("--session", "3f2a", "--last"), ("-s", "mine", "--session", "3f2a")]
)
@pytest.mark.parametrize("command", ["run", "chat"])
def test_only_one_option_names_the_session(kiro, command, options):
    done = kiro(command, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert "use one of them" in done.stderr


def test_a_reader_that_has_enough_ends_the_run_quietly(started):
    process, _ = started("/flood 200000 200")
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(30) == 1


@pytest.mark.parametrize("output", ["text", "json", "stream-json"])
def test_output_that_nobody_reads_from_the_beginning_ends_the_run_quietly(environment, output):
    reading, writing = os.pipe()
    os.close(reading)
    command = [warm.PROGRAM, *REHEARSAL, "--output", output, "Hello"]
    done = warm.run(command, stdout=writing, env=environment)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_output_that_cannot_be_written_is_a_failure(environment):
    with Path("/dev/full").open("wb") as full:
        command = [warm.PROGRAM, *REHEARSAL, "Hello"]
        done = warm.run(command, stdout=full, env=environment)
    assert (done.returncode, done.stderr) == (
        1,
        "kiro-core: The output could not be written: No space left on device.\n",
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"]])
def test_help_that_cannot_be_written_is_a_failure_in_one_sentence(environment, arguments):
    with Path("/dev/full").open("wb") as full:
        command = [warm.PROGRAM, *arguments]
        done = warm.run(command, stdout=full, env=environment)
    assert (done.returncode, done.stderr) == (
        1,
        "kiro-core: The output could not be written: No space left on device.\n",
    )


@pytest.mark.parametrize("missing", ["<&-", ">&-", "2>&-"])
def test_a_run_without_one_of_its_streams_goes_through(environment, kiro, missing):
    command = f'"{warm.PROGRAM}" run --engine rehearsal Hello {missing}'
    done = subprocess.run(
        ["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60, check=False, env=environment
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "" if missing == ">&-" else SAID + "Hello\n", "")
    assert (
        "turn: end_turn"
        in kiro("sessions", "show", json.loads(kiro("sessions", "list", "--json").stdout)[0]["id"]).stdout
    )


def test_control_characters_reach_a_program_unchanged(kiro):
    assert kiro(*REHEARSAL, "/echo \x1b[31mred").stdout == "\x1b[31mred\n"


def test_what_people_read_on_stderr_has_no_control_characters(kiro):
    done = kiro(*REHEARSAL, "/tool \x1b[31mred\x07\u009b2J")
    assert done.stderr == "tool: [31mred2J\n"


def test_the_only_engine_that_is_installed_is_said_where_nobody_can_be_asked(kiro, home):
    done = kiro("run", "Hello")
    assert (done.returncode, done.stdout) == (0, SAID + "Hello\n")
    assert done.stderr.startswith("notice: Engine 'mem' is used")
    assert not (home / "kiro.toml").read_text().startswith("engine")


def test_without_any_engine_the_error_says_how_to_get_one(kiro, home):
    (home / "kiro.toml").unlink()
    done = kiro("run", "Hello")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("kiro-core: No agent program is installed")
    assert "--engine rehearsal" in done.stderr


def test_what_was_said_is_in_no_log_above_debug(kiro):
    done = kiro(*REHEARSAL, "-v", "secretword")
    assert done.stdout == SAID + "secretword\n"
    assert "secretword" not in done.stderr


@pytest.mark.parametrize("option", ["--session", "-s", "--agent", "--engine"])
def test_an_empty_name_is_wrong_usage_and_not_a_new_session(kiro, option):
    done = kiro("run", option, "", "Hello")
    assert (done.returncode, done.stdout) == (2, "")
    assert "it is empty" in done.stderr


def test_a_run_whose_output_nobody_reads_ends_by_a_signal(environment, tmp_path):
    command = [warm.PROGRAM, *REHEARSAL, "/flood 100000 100"]
    with warm.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment) as run:
        assert run.stdout.read(1)
        run.send_signal(signal.SIGINT)
        assert b"Cancelling" in run.stderr.readline()
        run.send_signal(signal.SIGINT)
        run.wait(30)


def test_a_start_that_failed_is_no_last_session(kiro, environment, home):
    assert kiro("run", "--engine", "mem", "/echo one").returncode == 0
    dead = 'engines.dead.command=["/bin/sh", "-c", "exit 3"]'
    assert kiro("run", "--set", dead, "--engine", "dead", "two").returncode == 1
    done = kiro("run", "--last", "/echo three")
    assert (done.returncode, done.stdout) == (0, "three\n")


def test_prompts_that_wait_on_are_nothing_that_the_agent_was_denied(kiro, home):
    first = json.loads(kiro(*REHEARSAL, "--output", "json", "one").stdout)["sessionId"]
    log = home / "sessions" / "core" / f"{first}.jsonl"
    last = json.loads(log.read_text().splitlines()[-1])
    prompt = {"jsonrpc": "2.0", "id": 7, "method": "session/prompt"}
    prompt["params"] = {"sessionId": first, "prompt": [{"type": "text", "text": "left behind"}]}
    body = {"at": "2026-01-31T08:00:00.000Z", "kind": "prompt", "turn": "1.9", "data": prompt}
    seq = last["seq"] + 1
    line = {"format": 1, "seq": seq, "epoch": last["epoch"], "until": seq, "body": body}
    with log.open("a") as file:
        file.write(json.dumps(line, separators=(",", ":")) + "\n")
    done = kiro("run", "--session", first, "two")
    assert "Send first what was accepted" in done.stderr
    assert "'left behind'" in done.stderr
    assert done.returncode == 0
