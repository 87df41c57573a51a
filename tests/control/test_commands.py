"""What a person does with a session that another process works on: look, join, take it, name it."""

import json
import os
import signal
import subprocess
from contextlib import contextmanager

import pytest
import warm


@pytest.fixture
def started(environment, tmp_path):
    """`with started("sessions", "watch", ID) as process`: a command that is killed at the end."""

    @contextmanager
    def start(*arguments):
        with warm.start(
            [warm.PROGRAM, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    return start


def until(stream, text):
    """Read lines until one has that text; all of them."""
    lines = []
    while not lines or text not in lines[-1]:
        line = stream.readline()
        assert line, f"{text!r} did not come, but {lines}"
        lines.append(line)
    return lines


def test_a_session_is_watched_until_it_ends(editor, started, kiro):
    one = editor()
    session = one.new()
    one.answer(one.prompt(session, "/echo before"))
    with started("sessions", "watch", session[:8]) as watching:
        until(watching.stdout, "agent: before")
        one.answer(one.prompt(session, "/echo behind"))
        until(watching.stdout, "agent: behind")
        one.ask("session/close", sessionId=session)
        rest = watching.stdout.read()
        assert "session ended: closed" in rest
        assert watching.stderr.read() == f"{session}: nobody works on it now\n"
        assert watching.wait(30) == 0
    shown = kiro("sessions", "watch", session, "--json")
    assert (shown.returncode, shown.stderr) == (0, f"{session}: nobody works on it now\n")
    records = [json.loads(line) for line in shown.stdout.splitlines()]
    assert records == json.loads(kiro("sessions", "show", session, "--json").stdout)["records"]
    after = kiro("sessions", "watch", session, "--json", "--after", str(records[-2]["seq"]))
    assert [json.loads(line) for line in after.stdout.splitlines()] == records[-1:]
    assert {"seq", "epoch", "at", "kind"} <= records[0].keys()


def test_watching_ends_with_ctrl_c(editor, started):
    one = editor()
    session = one.new()
    with started("sessions", "watch", session, "--json") as watching:
        until(watching.stdout, '"kind":"process_begun"')
        watching.send_signal(signal.SIGINT)
        assert watching.wait(30) == 130
        assert "Traceback" not in watching.stderr.read()
    assert one.answer(one.prompt(session, "/echo here"))["result"]["stopReason"] == "end_turn"


def test_a_session_is_joined_from_a_terminal(editor, started):
    one = editor()
    session = one.new()
    one.answer(one.prompt(session, "/echo before"))
    with started("sessions", "attach", session[:8]) as joined:
        joined.stdin.write("/echo from the terminal\n")
        joined.stdin.flush()
        until(joined.stdout, "from the terminal")
        joined.stdin.close()
        assert joined.wait(30) == 0
    assert one.answer(one.prompt(session, "/echo still here"))["result"]["stopReason"] == "end_turn"


def test_a_session_that_nobody_works_on_is_not_joined(kiro):
    ended = json.loads(kiro("run", "--output", "json", "Hello").stdout)["sessionId"]
    for options in ((), ("--observe",)):
        told = kiro("sessions", "attach", ended, *options)
        assert (told.returncode, told.stdout) == (1, "")
        assert told.stderr.startswith(f"kiro-core: Nobody works on the session {ended} now.")
        assert f"kiro-core chat --session {ended[:8]}" in told.stderr


def test_a_run_has_its_turn_in_the_session_that_an_editor_has_open(editor, kiro):
    one = editor()
    session = one.new()
    told = kiro("run", "--session", session, "/echo from a script")
    assert (told.returncode, told.stdout, told.stderr) == (0, "from a script\n", "")
    assert one.answer(one.prompt(session, "/echo still here"))["result"]["stopReason"] == "end_turn"
    refused = kiro("run", "--session", session, "--no-attach", "--when-busy", "reject", "Hello")
    assert refused.returncode == 1
    assert f"The session {session} is held by `kiro-core acp`" in refused.stderr


def test_a_session_is_taken_from_a_process_that_goes_on(editor, kiro):
    one = editor()
    session, kept = one.new(), one.new()
    told = kiro("sessions", "takeover", session)
    assert told.returncode == 1
    assert "somebody has it open there" in told.stderr
    assert f"`kiro-core sessions takeover {session} --force` takes it away." in told.stderr
    told = kiro("sessions", "takeover", session, "--force", "--json")
    assert told.returncode == 0
    owner = json.loads(told.stdout)["owner"]
    assert (owner["pid"], owner["let_go"]) == (one.process.pid, True)
    assert one.answer(one.prompt(kept, "/echo still here"))["result"]["stopReason"] == "end_turn"
    assert kiro("run", "--session", session, "/echo mine").stdout == "mine\n"


def test_a_process_that_does_not_answer_is_ended(editor, kiro):
    one = editor()
    session = one.new()
    os.kill(one.process.pid, signal.SIGSTOP)
    told = kiro("sessions", "takeover", session, "--force")
    assert told.returncode == 0
    assert told.stderr.endswith(f"{session}: taken over; that process has ended, with all its sessions\n")
    assert one.process.wait(30) != 0


def test_a_session_that_an_editor_has_open_is_named_and_deleted(editor, kiro):
    one = editor()
    session = one.new()
    assert kiro("sessions", "rename", session, "Parser", "--name", "parser").returncode == 0
    assert kiro("sessions", "tag", session, "--add", "urgent").stderr == f"{session}: urgent\n"
    (listed,) = json.loads(kiro("sessions", "list", "--json").stdout)
    assert (listed["title"], listed["name"], listed["tags"]) == ("Parser", "parser", ["urgent"])
    assert kiro("sessions", "delete", session, "--yes").returncode == 0
    assert json.loads(kiro("sessions", "list", "--json").stdout) == []
    assert one.answer(one.prompt(session, "Hello"))["error"]["data"]["code"] == "SESSION_NOT_FOUND"
