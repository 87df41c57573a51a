"""A chat: line by line through a pipe, and with a line editor at a terminal."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time

import pytest
import warm
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.cli.chat.layout import Layout
from kiro_core.cli.chat.told import Told

CHAT = ("chat", "--engine", "mem")
SAID = "This is the rehearsal agent, which repeats what it is told: "
CTRL_C, CTRL_D, UP, TAB = "\x03", "\x04", "\x1b[A", "\t"
LINE_ENTERED, LINE_LEFT = "\x1b[?2004h", "\x1b[?2004l"  # since what is pasted comes in brackets while a line is typed
READY = "/help lists the commands."


@pytest.fixture
def environment(environment):
    return environment | {"TERM": "xterm"}


@pytest.fixture
def talk(kiro):
    """Have a turn in a session that an agent remembers; the session's id."""

    def talked(prompt, *options):
        done = kiro("run", "--engine", "mem", "--output", "json", *options, prompt)
        return json.loads(done.stdout)["sessionId"]

    return talked


@pytest.fixture
def chat(terminal):
    """A chat at a terminal, ready for the first line."""

    def start(*options):
        screen = terminal(*CHAT, *options)
        screen.expect(READY)
        return screen

    return start


# Through a pipe.


def test_each_line_of_a_pipe_is_a_prompt_and_only_answers_are_printed(kiro):
    done = kiro(*CHAT, stdin="Hello\n\n/echo one\\\n/echo two\n/thought secret\n/plan\n/tool Look\nlast")
    assert (done.returncode, done.stdout) == (0, f"{SAID}Hello\nonetwo\n{SAID}last\n")
    assert done.stderr == "tool: Look\n"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("/permission Erase\n/echo after\n", 5),
        ("/error 7 No credits.\n/permission Erase\n/echo after\n", 1),
        ("/stop refusal\n/echo after\n", 5),
        ("/echo before\n/die 3\n", 1),
    ],
)
def test_the_first_turn_of_a_pipe_that_does_not_go_through_gives_the_exit_code(kiro, lines, code):
    done = kiro(*CHAT, stdin=lines)
    assert done.returncode == code
    assert done.stdout.endswith("after\n" if "after" in lines else "before\n")


def test_what_the_chat_itself_says_is_not_printed_between_the_answers(kiro):
    done = kiro(*CHAT, stdin="/help\n/engine\n/agent\n/cancel\n//echo for the agent\n/quit\nnever\n")
    assert (done.returncode, done.stdout) == (0, "for the agent\n")
    for line in ("/sessions [ID]  list the sessions of this folder", "* mem\n", "* kiro_default", "Nothing runs.\n"):
        assert line in done.stderr


def test_sessions_are_listed_and_gone_on_with(kiro, talk):
    first = talk("one")
    done = kiro(*CHAT, "-s", "mine", stdin=f"two\n/sessions\n/sessions {first[:8]}\nthree\n/sessions nope\n")
    assert (done.returncode, done.stdout) == (1, f"{SAID}two\n{SAID}three\n")
    assert f"  {first[:8]}  " in done.stderr
    assert " [mine] two\n" in done.stderr
    assert f"session {first[:8]}, agent kiro_default, engine mem" in done.stderr
    assert "kiro-core: No session has an id that begins with 'nope'.\n" in done.stderr
    listed = {info["id"]: info["name"] for info in json.loads(kiro("sessions", "list", "--json").stdout)}
    assert sorted(listed.values()) == ["", "mine"]


@pytest.mark.parametrize("options", [("--last",), ("-s", "mine")])
def test_a_chat_goes_on_with_a_session(kiro, talk, options):
    session = talk("one", "-s", "mine")
    assert kiro("chat", *options, stdin="/echo two\n").stdout == "two\n"
    shown = kiro("sessions", "show", session).stdout
    assert "you: one" in shown
    assert "you: /echo two" in shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_chat_through_a_pipe(environment, tmp_path, number, kiro):
    with warm.start(
        [warm.PROGRAM, *CHAT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path, env=environment
    ) as chat:
        chat.stdin.write(b"/echo at work\\\n/sleep 60\n/echo never\n")
        chat.stdin.flush()
        assert chat.stdout.read(1) == b"a"
        chat.send_signal(number)
        out, _ = chat.communicate(timeout=30)
    assert chat.returncode == 130
    assert b"never" not in out
    assert (
        "turn: cancelled"
        in kiro("sessions", "show", json.loads(kiro("sessions", "list", "--json").stdout)[0]["id"]).stdout
    )


def test_a_reader_that_has_enough_ends_the_chat(environment, tmp_path):
    with warm.start(
        [warm.PROGRAM, *CHAT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment,
    ) as chat:
        chat.stdout.close()
        chat.stdin.write(b"Hello\n")
        chat.stdin.flush()
        assert chat.wait(30) == 1
        assert chat.stderr.read() == b""


def test_a_session_that_cannot_be_opened_has_the_exit_codes_of_a_run(kiro):
    assert kiro("chat", "--engine", "nope", stdin="Hello\n").returncode == 2
    assert kiro(*CHAT, "--agent", "nobody", stdin="Hello\n").returncode == 4
    assert kiro("chat", "--session", "3f2a", stdin="Hello\n").returncode == 1


# At a terminal.


def test_a_conversation_at_a_terminal(chat, home):
    screen = chat()
    screen.type("Hello\r")
    screen.expect(f"{SAID}Hello\r\n")
    screen.type("/thought Let me see\\\r/plan\\\r/tool Look\r")
    screen.expect("\x1b[2mLet me see\x1b[0m\r\n")
    screen.expect("\x1b[36mplan:\x1b[0m\r\n\x1b[36m  x listen\x1b[0m\r\n\x1b[36m  > repeat\x1b[0m\r\n")
    screen.expect("\x1b[36mtool: Look\x1b[0m\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0
    history = home / "history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert [json.loads(line) for line in history.read_text().splitlines()] == [
        "Hello",
        "/thought Let me see\n/plan\n/tool Look",
    ]


def test_what_was_typed_is_remembered_for_the_next_chat_but_not_behind_a_space(chat):
    screen = chat()
    screen.type("/echo known\r")
    screen.expect("known\r\n")
    screen.type(" /echo secret\r")
    screen.expect("secret\r\n")
    screen.type("/quit\r")
    assert screen.ended() == 0
    screen = chat()
    screen.type(UP + UP)
    screen.expect("/echo known")
    screen.type("\r")
    screen.expect("known\r\n")


def test_a_question_is_answered_where_the_person_types_and_the_draft_comes_back(chat, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    screen = chat("--trust-tools", "shell")
    screen.type("/permission Erase\r")
    screen.expect("Your answer [1-3]:")
    screen.type("7\r")
    screen.expect("Your answer [1-3]: 7")
    screen.expect("question: Erase")
    screen.expect("Your answer [1-3]:")
    screen.type("2\r")
    screen.expect("Permission: allow_always.")
    screen.type(f"/run {shutil.which('head')} -n 1 {gate}\\\r/permission Again\r")
    screen.expect("/permission Again")
    screen.expect(LINE_LEFT)
    screen.expect(LINE_ENTERED)
    screen.type("/echo my draft")
    screen.expect("/echo my draft")
    with gate.open("r+b", buffering=0) as opened:
        opened.write(b"late\n")
        screen.expect("late")
    screen.expect("question: Again")
    screen.expect("Your answer [1-3]:")
    screen.type(CTRL_D)
    screen.expect("Permission: reject_once.")
    screen.type("\r")
    screen.expect("my draft\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0


def test_ctrl_c_cancels_the_turn_and_the_chat_goes_on(chat):
    screen = chat()
    screen.type("/tool Work\\\r/sleep 60\r")
    screen.expect("tool: Work")
    screen.type(CTRL_C)
    screen.expect("Cancelling; another Ctrl-C leaves.")
    screen.expect("turn: cancelled")
    screen.type("/permission Erase\r")
    screen.expect("Your answer [1-3]:")
    screen.type(CTRL_C)
    screen.expect("turn: cancelled")
    screen.type("Hello\r")
    screen.expect(f"{SAID}Hello\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0


def test_a_second_ctrl_c_leaves_an_agent_that_does_not_hear(chat):
    screen = chat("--set", "limits.close_s=0.5")
    screen.type("/tool Deaf\\\r/hang\r")
    screen.expect("tool: Deaf")
    screen.type(CTRL_C)
    screen.expect("another Ctrl-C leaves.")
    screen.type(CTRL_C)
    assert screen.ended() == 130


def test_ctrl_c_clears_a_line_and_leaves_the_second_time_that_there_is_none(chat):
    screen = chat()
    screen.type("/echo never")
    screen.expect("never")
    screen.type(CTRL_C + CTRL_C)
    screen.expect("Another Ctrl-C leaves, and so does Ctrl-D.")
    screen.type("Hello\r")
    screen.expect(f"{SAID}Hello\r\n")
    screen.type(CTRL_C)
    screen.expect("Another Ctrl-C leaves")
    screen.type(CTRL_C)
    assert screen.ended() == 0
    assert "never\r\n" not in screen.shown


def test_signals_from_elsewhere_are_heard_too(chat):
    screen = chat()
    screen.type("/tool Work\\\r/sleep 60\r")
    screen.expect("tool: Work")
    screen.process.send_signal(signal.SIGINT)
    screen.expect("turn: cancelled")
    screen.process.send_signal(signal.SIGTERM)
    assert screen.ended() == 130


def test_what_is_typed_while_the_agent_speaks_waits_its_turn_and_cancel_does_not(chat):
    screen = chat()
    screen.type("/tool Work\\\r/sleep 60\r")
    screen.expect("tool: Work")
    screen.type("/echo next\r/cancel\r")
    screen.expect("turn: cancelled")
    screen.expect("turn: cancelled")
    screen.type("/sleep 1\r/echo second\r")
    screen.expect("second\r\n")
    screen.type("/sleep 60\r/sessions 3f2a\r")
    screen.expect("kiro-core: A turn runs.")
    screen.type(CTRL_D)
    assert screen.ended() == 0


def test_what_comes_outside_of_a_turn_is_shown_above_what_is_typed(chat):
    screen = chat()
    screen.type("/say-later 1 late words\r")
    screen.type("/echo my draft")
    screen.expect("late words")
    screen.type("\r")
    screen.expect("my draft\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0


def test_pasted_lines_are_one_prompt(chat):
    screen = chat()
    screen.type("\x1b[200~one\ntwo\x1b[201~\r")
    screen.expect(f"{SAID}one\r\n")
    screen.expect("two\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0


def test_commands_and_names_are_completed(chat):
    screen = chat()
    screen.type("/eng" + TAB + "m" + TAB + "\r")
    screen.expect("engine: mem\x1b[0m\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0


def test_another_session_is_shown_from_its_beginning_and_gone_on_with(chat, talk):
    first = talk("/echo one\n/tool Look")
    screen = chat()
    screen.type("Hello\r")
    screen.expect(f"{SAID}Hello\r\n")
    screen.type(f"/sessions {first[:8]}\r")
    screen.expect("\x1b[1m> /echo one\x1b[0m\r\n\x1b[1m/tool Look\x1b[0m\r\n")
    screen.expect("one\r\n\x1b[36mtool: Look\x1b[0m\r\n")
    screen.expect(f"session {first[:8]}, agent kiro_default, engine mem")
    screen.type("/echo two\r")
    screen.expect("two\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0


def test_an_agent_that_died_is_back_for_the_next_prompt(chat):
    screen = chat()
    screen.type("/die 3\r")
    screen.expect("ended with status 3")
    screen.type("Hello\r")
    screen.expect(f"{SAID}Hello\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0


def test_a_session_whose_agent_was_given_up_is_opened_again(chat, environment, home):
    environment["KIRO_CORE_LIMITS__MAX_RESTARTS"] = "0"
    screen = chat()
    screen.type("/die 3\r")
    screen.expect("kiro-core: The turn failed: ")
    screen.expect("ended with status 3")
    until = time.monotonic() + 20
    while b'"kind":"closed"' not in b"".join(log.read_bytes() for log in home.rglob("*.jsonl")):
        assert time.monotonic() < until
    screen.type("Hello\r")
    screen.expect("The session has ended.")
    screen.expect("Open it again: ")
    screen.expect("/sessions ")
    session = screen.shown.rpartition("/sessions ")[2][:8]
    screen.type(f"/sessions {session}\r")
    screen.expect("engine mem")
    screen.type("Hello\r")
    screen.expect(f"{SAID}Hello\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0


def test_the_agent_cannot_command_the_terminal(chat):
    screen = chat()
    text = json.dumps({"type": "text", "text": "\x1b]0;title\x07 and\ttab \u009b2J"})
    screen.type(f'/update {{"sessionUpdate": "agent_message_chunk", "content": {text}}}\r')
    screen.expect("]0;title and    tab 2J\r\n")
    screen.type('/update {"sessionUpdate": "tool_call", "toolCallId": "1", "title": "\\u001b[41mred\\nblue"}\r')
    screen.expect("tool: [41mred blue\x1b[0m\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0
    assert not [control for control in ("\x1b]0", "\x1b[41m", "\x07", "\u009b") if control in screen.shown]


def test_colours_are_only_for_those_who_want_them(chat, environment):
    environment["NO_COLOR"] = "1"
    screen = chat()
    screen.type("/thought dim\r")
    screen.expect("dim\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0
    assert "\x1b[2m" not in screen.shown
    assert "\x1b[36m" not in screen.shown


def test_a_terminal_that_can_do_nothing_gets_lines(chat, environment):
    environment["TERM"] = "dumb"
    screen = chat()
    screen.expect("> ")
    screen.type("/thought hm\\\n")
    screen.expect(". ")
    screen.type("/permission Erase\n")
    screen.expect("hm\r\ntool: Erase\r\n")
    screen.expect("Your answer [1-3]:")
    screen.type("1\n")
    screen.expect("Permission: allow_once. \r\n> ")
    screen.type("/tool Work\\\n/sleep 60\n")
    screen.expect("tool: Work")
    screen.type(CTRL_C)
    screen.expect("turn: cancelled")
    screen.type(CTRL_D)
    assert screen.ended() == 0
    assert "\x1b" not in screen.shown


def test_a_narrow_window_that_changes_its_size_shows_everything(chat):
    screen = chat()
    screen.resize(20, 5)
    screen.process.send_signal(signal.SIGWINCH)
    screen.type("/big 1000\r")
    screen.expect("x" * 20 + "\r\n")
    screen.resize(100, 30)
    screen.process.send_signal(signal.SIGWINCH)
    screen.type("/echo \u4f60\u597d\r")
    screen.expect("\u4f60\u597d\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0


def test_a_window_that_is_closed_ends_the_chat_and_its_session(chat, kiro):
    screen = chat()
    screen.type("/tool Work\\\r/sleep 60\r")
    screen.expect("tool: Work")
    assert screen.hang_up() == 130
    (session,) = json.loads(kiro("sessions", "list", "--json").stdout)
    assert "turn: cancelled" in kiro("sessions", "show", session["id"]).stdout


def test_a_history_that_cannot_be_read_is_told_and_stops_nothing(chat, home, terminal):
    (home / "history").mkdir()
    screen = terminal(*CHAT)
    screen.expect("notice: What was typed before could not be read from")
    screen.expect(READY)
    screen.type("/echo on\r")
    screen.expect("on\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0


def test_a_history_is_bounded_and_its_newest_entries_stay(chat, home):
    lines = [json.dumps(f"/echo {number} {'x' * 1000}") + "\n" for number in range(1100)]
    (home / "history").write_text("".join(lines) + "no JSON\n")
    screen = chat()
    screen.type(UP)
    screen.expect("/echo 1099")
    screen.type(CTRL_C + CTRL_D)
    assert screen.ended() == 0
    kept = (home / "history").read_text().splitlines(keepends=True)
    assert 400 < len(kept) < 600
    assert kept[-2] == lines[-1]
    assert stat.S_IMODE((home / "history").stat().st_mode) == 0o600


def test_a_start_that_takes_its_time_is_told_while_the_person_types(terminal, home):
    command = json.dumps([sys.executable, "-P", "-m", "kiro_core.rehearsal", "--start-delay", "2"])
    (home / "kiro.toml").write_text(f"[engines.slow]\ncommand = {command}\n")
    screen = terminal("chat", "--engine", "slow")
    screen.expect("starting slow…")
    screen.type("/echo typed early\r")
    screen.expect(READY)
    screen.expect("typed early\r\n")
    screen.type(CTRL_D)
    assert screen.ended() == 0


@given(st.lists(st.text("a \n\u4f60\x1b\u0301", max_size=30), max_size=30), st.integers(1, 8))
def test_whatever_an_agent_says_is_shown_once_and_no_line_grows_without_bound(pieces, columns):
    layout = Layout(lambda: columns, colours=False)
    shown = ""
    for piece in pieces:
        shown += layout.add(Told("said", piece))
        assert len(layout.growing.replace("\u0301", "")) <= 10 * columns
    shown += layout.end()
    said = "".join(pieces).replace("\x1b", "")
    assert shown.replace("\n", "") == said.replace("\n", "")
    assert not said or shown.endswith("\n")


def test_a_very_long_line_is_cut_without_measuring_it():
    layout = Layout(lambda: 80, colours=False)
    lines = layout.add(Told("said", "\u4f60" * 1_000_000)).splitlines()
    assert {len(line) for line in lines} == {80}
