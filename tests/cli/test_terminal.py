"""What a person at a terminal meets: questions that wait for an answer, and text that cannot command the terminal."""

import json
import os
import signal
import stat
import sys

import pytest
import warm

REHEARSAL = ("run", "--engine", "rehearsal")


@pytest.fixture
def environment(tmp_path):
    """Without any agent program, and with a width that the tests know."""
    (tmp_path / "bin").mkdir()
    return os.environ | {"PATH": str(tmp_path / "bin"), "TERM": "xterm", "COLUMNS": "200"}


@pytest.fixture
def only_agent(tmp_path, environment):
    """One agent program is installed, which is not the preferred one."""
    script = tmp_path / "bin" / "qwen"
    script.write_text(f"#!/bin/sh\nexec {sys.executable} -m kiro_core.rehearsal\n")
    script.chmod(0o755)


def test_a_question_is_asked_with_its_options_and_the_answer_reaches_the_agent(terminal):
    screen = terminal(*REHEARSAL, "/permission Erase it")
    screen.expect("Your answer [1-3]: ")
    assert "question: Erase it\r\n  1. once\r\n  2. always\r\n  3. no\r\n" in screen.shown
    screen.type("2\n")
    screen.expect("Permission: allow_always.")
    assert screen.ended() == 0


def test_a_no_of_the_person_has_its_exit_code(terminal):
    screen = terminal(*REHEARSAL, "/permission Erase it")
    screen.expect("Your answer [1-3]: ")
    screen.type("3\n")
    screen.expect("Permission: reject_once.")
    assert screen.ended() == 5


def test_what_is_no_answer_is_asked_again(terminal):
    screen = terminal(*REHEARSAL, "/permission Erase it")
    for wrong in ("7", "yes", ""):
        screen.expect("Your answer [1-3]: ")
        screen.type(f"{wrong}\n")
    screen.expect("Your answer [1-3]: ")
    screen.type("1\n")
    screen.expect("Permission: allow_once.")
    assert screen.ended() == 0


def test_the_end_of_the_input_is_a_denial(terminal):
    screen = terminal(*REHEARSAL, "/permission Erase it")
    screen.expect("Your answer [1-3]: ")
    screen.type("\x04")
    screen.expect("Permission: reject_once.")
    assert screen.ended() == 5


def test_ctrl_c_cancels_while_a_question_is_open(terminal):
    screen = terminal(*REHEARSAL, "/permission Erase it")
    screen.expect("Your answer [1-3]: ")
    screen.process.send_signal(signal.SIGINT)
    assert screen.ended() == 130


def test_a_program_that_reads_the_output_is_not_asked(terminal):
    screen = terminal(*REHEARSAL, "--output", "json", "/permission Erase it")
    assert screen.ended() == 5
    assert "Your answer" not in screen.shown


def test_the_agent_cannot_command_the_terminal(terminal):
    screen = terminal(*REHEARSAL, "/echo \x1b[31mred\x9b2J\x07 and\ttab\n/tool \x1b]0;title\x07")
    assert screen.ended() == 0
    assert "[31mred2J and\ttab" in screen.shown
    assert not {"\x1b", "\x07", "\x9b"} & set(screen.shown)


def test_the_streamed_form_cannot_command_the_terminal_either(terminal):
    screen = terminal(*REHEARSAL, "--output", "stream-json", "/echo \x9b2J")
    assert screen.ended() == 0
    assert "\x9b" not in screen.shown


def test_recorded_names_cannot_command_the_terminal(terminal):
    terminal(*REHEARSAL, "\x1b]0;owned\x07[bold]x").ended()
    screen = terminal("sessions", "list")
    assert screen.ended() == 0
    assert "]0;owned [bold]x" in screen.shown
    assert "\x1b]0" not in screen.shown
    session = json.loads(warm.run([warm.PROGRAM, "sessions", "list", "--json"]).stdout)[0]["id"]
    screen = terminal("sessions", "show", session)
    assert screen.ended() == 0
    assert "\x1b" not in screen.shown


@pytest.mark.parametrize("prompt", ["/sleep 60", "/flood 1000000 100"])
def test_a_window_that_is_closed_cancels_the_turn(terminal, prompt):
    screen = terminal(*REHEARSAL, f"/echo at work\n{prompt}")
    screen.expect("at work")
    assert screen.hang_up() == 130
    session = json.loads(warm.run([warm.PROGRAM, "sessions", "list", "--json"]).stdout)[0]["id"]
    assert "turn: cancelled" in warm.run([warm.PROGRAM, "sessions", "show", session]).stdout


def test_a_start_that_takes_its_time_is_told_and_taken_back(terminal, home):
    home.mkdir()
    command = json.dumps([sys.executable, "-P", "-m", "kiro_core.rehearsal", "--start-delay", "2"])
    (home / "kiro.toml").write_text(f"[engines.slow]\ncommand = {command}\n")
    screen = terminal("run", "--engine", "slow", "Hello")
    screen.expect("starting slow…")
    screen.expect("\r\x1b[K")
    screen.expect("told: Hello")
    assert screen.ended() == 0


HANGING = """
from contextlib import asynccontextmanager
import anyio
from kiro_core import Provider, hookimpl

@asynccontextmanager
async def opened(options):
    await anyio.sleep_forever()
    yield

@hookimpl
def kiro_stores():
    yield Provider("hanging", opened)
"""


def test_an_opening_that_takes_its_time_is_told_and_taken_back(terminal, environment, tmp_path):
    info = tmp_path / "site" / "hanging-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hanging\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[kiro_core]\nhanging = hanging\n")
    (tmp_path / "site" / "hanging.py").write_text(HANGING)
    environment["PYTHONPATH"] = str(tmp_path / "site")
    screen = terminal(*REHEARSAL, "--set", "store=hanging", "Hello")
    screen.expect("opening what the settings choose…")
    screen.type("\x03")
    screen.expect("\r\x1b[K")
    assert screen.ended() == 130


def test_a_person_is_told_whom_they_wait_for(terminal, home, tmp_path):
    home.mkdir()
    command = json.dumps([sys.executable, "-P", "-m", "kiro_core.rehearsal", "--memory", str(tmp_path / "memory")])
    (home / "kiro.toml").write_text(f"[engines.mem]\ncommand = {command}\n")
    first = terminal("run", "--engine", "mem", "/echo at work\n/sleep 60")
    first.expect("at work")
    second = terminal("run", "--last", "/echo mine now")
    second.expect(f"waiting for pid {first.process.pid} on {os.uname().nodename}…")
    third = terminal("run", "--last", "/echo never")
    third.expect("waiting for")
    third.type("\x03")
    assert third.ended() == 130
    first.type("\x03")
    assert first.ended() == 130
    second.expect("mine now")
    assert second.ended() == 0


def test_no_prompt_at_a_terminal_is_wrong_usage(terminal):
    screen = terminal(*REHEARSAL)
    assert screen.ended() == 2
    assert "There is no prompt" in screen.shown


def test_tables_are_coloured_only_where_people_want_it(terminal, environment):
    screen = terminal("engines")
    assert screen.ended() == 0
    assert "\x1b[1m" in screen.shown
    environment["NO_COLOR"] = "1"
    environment["TERM"] = "dumb"
    screen = terminal("engines")
    assert screen.ended() == 0
    assert "\x1b" not in screen.shown


def test_a_hint_is_dim_only_where_people_want_it(terminal, environment):
    screen = terminal("run", "--engine", "nope", "Hello")
    assert screen.ended() == 2
    assert "\x1b[2mAvailable: " in screen.shown
    environment["NO_COLOR"] = "1"
    screen = terminal("run", "--engine", "nope", "Hello")
    assert screen.ended() == 2
    assert "\x1b" not in screen.shown


@pytest.mark.usefixtures("only_agent")
def test_the_only_engine_is_asked_for_once_and_remembered(terminal, home):
    home.mkdir()
    kept = "# mine, \u00fcntouched\r\n[limits]\nstart_s = 50\n".encode()
    (home / "kiro.toml").write_bytes(kept)
    (home / "kiro.toml").chmod(0o640)
    screen = terminal("run", "Hello")
    screen.expect("Qwen Code is the only agent program that is installed. Use it? [Y/n] ")
    screen.type("\n")
    screen.expect("told: Hello")
    assert screen.ended() == 0
    assert (home / "kiro.toml").read_bytes() == b'engine = "qwen"\n' + kept
    assert stat.S_IMODE((home / "kiro.toml").stat().st_mode) == 0o640
    assert [path.name for path in home.iterdir() if path.is_file()] == ["kiro.toml"]
    again = terminal("run", "Hello")
    assert again.ended() == 0
    assert "Use it?" not in again.shown


@pytest.mark.usefixtures("only_agent")
def test_the_only_engine_is_asked_for_in_a_chat_too(terminal, home):
    screen = terminal("chat")
    screen.expect("Qwen Code is the only agent program that is installed. Use it? [Y/n]")
    screen.type("\r")
    screen.expect("/help lists the commands.")
    screen.type("Hello\r")
    screen.expect("told: Hello\r\n")
    screen.type("\x04")
    assert screen.ended() == 0
    assert (home / "kiro.toml").read_bytes() == b'engine = "qwen"\n'


@pytest.mark.usefixtures("only_agent")
def test_the_settings_file_that_remembers_is_private_when_it_is_new(terminal, home):
    screen = terminal("run", "Hello")
    screen.expect("[Y/n] ")
    screen.type("y\n")
    assert screen.ended() == 0
    assert (home / "kiro.toml").read_bytes() == b'engine = "qwen"\n'
    assert stat.S_IMODE((home / "kiro.toml").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@pytest.mark.usefixtures("only_agent")
def test_an_engine_that_the_person_does_not_want_is_not_used(terminal, home):
    screen = terminal("run", "Hello")
    screen.expect("[Y/n] ")
    screen.type("n\n")
    assert screen.ended() == 1
    assert "No agent program is chosen." in screen.shown
    assert not (home / "kiro.toml").exists()


@pytest.mark.usefixtures("only_agent")
def test_a_settings_file_that_was_named_is_not_changed(terminal, tmp_path):
    (tmp_path / "mine.toml").write_text("")
    screen = terminal("run", "--config", "mine.toml", "Hello")
    screen.expect("notice: Engine 'qwen' is used")
    assert screen.ended() == 0
    assert (tmp_path / "mine.toml").read_text() == ""
