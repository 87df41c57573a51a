"""The command line around its commands: help without cost, failures in sentences, listings for people and programs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from kiro_core.cli import failing, main
from kiro_core.cli.commands import kiro_core
from kiro_core.errors import AgentNotFound, KiroError, SettingsError, UnknownName

PROGRAM = Path(sys.executable).with_name("kiro-core")
ALL_HELP = """
import contextlib, io, json, os, sys
from kiro_core.cli import main
import kiro_core.cli.commands
for line in sys.stdin:
    sys.stdout.flush()
    if (child := os.fork()):  # each imports what it needs into a process that has imported no other
        os.waitpid(child, 0)
        continue
    sys.argv[1:] = [*json.loads(line), "--help"]
    with contextlib.redirect_stdout(io.StringIO()) as told, contextlib.suppress(SystemExit):
        main()
    print(json.dumps([told.getvalue(), sorted({name.partition(".")[0] for name in sys.modules})]), flush=True)
    os._exit(0)
"""
HEAVY = {"anyio", "asyncio", "msgspec", "prompt_toolkit", "pydantic", "pydantic_settings", "pluggy", "rich", "trio"}


def tree(group, *path):
    """Every command and group, as the words that call it."""
    yield path
    context = click.Context(group)
    for name in group.list_commands(context) if isinstance(group, click.Group) else ():
        yield from tree(group.get_command(context, name), *path, name)


COMMANDS = list(tree(kiro_core))


@pytest.fixture
def talk(kiro):
    """Have a turn with the rehearsal agent; the session's id."""

    def talked(prompt, *options):
        done = kiro("run", "--engine", "rehearsal", "--output", "json", *options, prompt)
        return json.loads(done.stdout)["sessionId"]

    return talked


@pytest.fixture(scope="module")
def helped():
    """The help of each command, and the packages that are imported by then."""
    asked = "".join(json.dumps(command) + "\n" for command in COMMANDS)
    program = [sys.executable, "-c", ALL_HELP]
    told = subprocess.run(program, input=asked, stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    return dict(zip(COMMANDS, map(json.loads, told.stdout.splitlines()), strict=True))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_an_example_and_costs_nothing(helped, command):
    told, loaded = helped[command]
    assert "Example:" in told
    assert "click" in loaded
    assert not HEAVY & {*loaded}


@pytest.mark.parametrize(
    "command",
    [
        *("agents list", "agents show kiro_default", "agents validate", "check", "completion bash", "connect zed"),
        *(
            "engines",
            "plugins",
            "new-plugin acme-vault --kind store",
            "sessions list",
            "sessions show ID",
            "sessions rename ID T",
            "sessions tag ID --add x",
        ),
        *("sessions export ID", "sessions verify ID", "sessions takeover ID", "sessions delete ID --yes"),
        *("sessions prune --older-than 90d --dry-run", "sessions watch ID"),
    ],
    ids=lambda command: command,
)
def test_every_command_starts_from_nothing(command, talk, environment, tmp_path):
    arguments = [talk("hello") if word == "ID" else word for word in command.split()]
    done = subprocess.run(
        [PROGRAM, *arguments], capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path, env=environment
    )
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def test_help_names_every_family_with_a_sentence(kiro):
    told = kiro("--help").stdout
    for command in [path[0] for path in COMMANDS if len(path) == 1]:
        assert f"\n  {command} " in told
    assert told.count("...") == 1, "only the usage line ends so"


def test_the_version_is_told(kiro):
    told = kiro("--version")
    assert told.stdout.startswith("kiro-core 0.")


def test_an_unknown_command_is_wrong_usage(kiro):
    told = kiro("runn")
    assert told.returncode == 2
    assert "No such command 'runn'" in told.stderr


def test_windows_is_refused_with_a_sentence(monkeypatch, capsys):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("kiro-core: Windows is not supported")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KiroError("It failed."), 1),
        (SettingsError("It failed."), 2),
        (UnknownName("It failed."), 2),
        (AgentNotFound("It failed."), 4),
        (ExceptionGroup("several", [KiroError("It failed."), ValueError("x")]), 1),
    ],
)
def test_a_failure_is_told_in_a_sentence_and_has_its_exit_code(capfd, error, code):
    assert failing.attempt(_raising(error), debug=False) == code
    assert capfd.readouterr() == ("", "kiro-core: It failed.\n")


def test_the_hint_stands_below_the_sentence_and_neither_has_control_characters(capfd):
    failing.attempt(_raising(KiroError("It \x1b[31mfailed.", hint="Do this.\nOr \x1b]0;that.")), debug=False)
    assert capfd.readouterr().err == "kiro-core: It [31mfailed.\nDo this.\nOr ]0;that.\n"


def test_a_failure_that_nobody_foresaw_is_a_sentence_too(capfd):
    assert failing.attempt(_raising(RuntimeError("odd")), debug=False) == 1
    told = capfd.readouterr().err
    assert told.startswith("kiro-core: Something failed: RuntimeError: odd.\n")
    assert "--debug" in told


def test_a_traceback_is_shown_with_debug_only(kiro):
    arguments = ("engines", "--config", "/nowhere/kiro.toml")
    assert "Traceback" not in kiro(*arguments).stderr
    assert "Traceback" in kiro(*arguments, "--debug").stderr


def test_ctrl_c_is_an_exit_code_and_no_words(capfd):
    assert failing.attempt(_raising(KeyboardInterrupt()), debug=False) == 130
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("debug", [False, True])
def test_logs_go_to_stderr_with_tracebacks_only_for_debugging(debug):
    logging = f"""
import logging
from kiro_core.cli.logs import begin_logging
begin_logging(0, debug={debug})
logging.getLogger("kiro_core").info("hidden")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("kiro_core").exception("It \\x1b[31mfailed.")
"""
    told = subprocess.run([sys.executable, "-c", logging], capture_output=True, text=True, timeout=60, check=True)
    first, *rest = told.stderr.splitlines()
    assert (told.stdout, first) == ("", "kiro-core: ERROR: It [31mfailed.")
    assert rest[-1].strip() == "ZeroDivisionError: division by zero"
    assert ("Traceback (most recent call last):" in rest) is debug


def test_any_setting_can_be_given_as_an_argument(kiro):
    told = kiro(
        "engines", "--json", "--set", 'engines.mine.command=["x", "y"]', "--set", "engines.mine.title=Mine, my own"
    )
    (mine,) = [engine for engine in json.loads(told.stdout) if engine["name"] == "mine"]
    assert (mine["command"], mine["title"], mine["installed"]) == (["x", "y"], "Mine, my own", False)


def test_of_two_equal_settings_the_last_one_counts(kiro):
    told = kiro("engines", "--json", "--set", 'engines.kiro.title="One"', "--set", "engines.kiro.title=Two")
    assert next(engine["title"] for engine in json.loads(told.stdout) if engine["name"] == "kiro") == "Two"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (["noequals"], "is not KEY=VALUE"),
        (["=x"], "is not KEY=VALUE"),
        (["store=files", "store.root=/x"], "another --set says that store is"),
        (["store.use=files", "store=files"], "another --set says that store is"),
    ],
)
def test_a_setting_that_cannot_be_read_is_wrong_usage(kiro, written, reason):
    told = kiro("engines", *(part for text in written for part in ("--set", text)))
    assert told.returncode == 2
    assert reason in told.stderr


def test_the_sessions_of_a_fresh_machine_are_none(kiro):
    assert kiro("sessions", "list", "--json").stdout == "[]\n"
    assert kiro("sessions", "list").stdout.split() == ["session", "updated", "agent", "engine", "folder", "title"]


def test_sessions_are_listed_newest_first_by_folder_and_to_a_limit(kiro, talk, tmp_path):
    (tmp_path / "folder").mkdir()
    older, newer = talk("one", "--cwd", "folder"), talk("two\nlines")
    assert [info["id"] for info in json.loads(kiro("sessions", "list", "--json").stdout)] == [newer, older]
    assert [info["id"] for info in json.loads(kiro("sessions", "list", "--json", "--limit", "1").stdout)] == [newer]
    (only,) = json.loads(kiro("sessions", "list", "--json", "--cwd", "folder").stdout)
    assert (only["id"], only["title"], only["engine"]) == (older, "one", "rehearsal")


def test_a_listing_for_a_program_is_aligned_and_has_a_line_for_each(kiro, talk):
    session = talk("A title\tof some\nlines")
    head, row = kiro("sessions", "list").stdout.splitlines()
    assert row.startswith(session)
    assert row.endswith("A title of some")
    assert head.index("title") == row.index("A title")


def test_a_session_is_shown_as_a_conversation(kiro, talk):
    session = talk("Hello\n/thought secret\n/permission Erase\n/tool Look")
    shown = kiro("sessions", "show", session[:8]).stdout.split("\n\n")
    assert shown[0].splitlines()[0] == f"session: {session}"
    assert [part.strip() for part in shown[1:]] == [
        "you: Hello\n/thought secret\n/permission Erase\n/tool Look",
        "agent: This is the rehearsal agent, which repeats what it is told: Hello",
        "tool: Erase",
        "question: Erase: no (nobody to ask)",
        "agent: Permission: reject_once.",
        "tool: Erase: failed",
        "tool: Look",
        "turn: end_turn",
        "session ended: closed",
    ]


def test_a_session_that_fell_back_and_failed_shows_both(kiro, talk):
    shown = kiro("sessions", "show", talk("/error 7 No credits.", "--set", "agent=nobody")).stdout
    assert "\nnotice: No agent configuration is called 'nobody'" in shown
    assert "\nturn: No credits.\n" in shown


def test_a_session_is_shown_whole_as_json(kiro, talk):
    session = talk("/echo caf\u00e9")
    shown = json.loads(kiro("sessions", "show", session, "--json").stdout)
    assert shown["info"]["id"] == session
    assert [record["kind"] for record in shown["records"]][:3] == ["opened", "process_begun", "prompt"]
    assert [record["seq"] for record in shown["records"]] == list(range(1, len(shown["records"]) + 1))
    assert "caf\u00e9" in json.dumps(shown, ensure_ascii=False)


def test_a_session_that_nobody_knows_is_a_failure(kiro):
    told = kiro("sessions", "show", "3f2a")
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.startswith("kiro-core: No session has an id that begins with '3f2a'.\n")


def test_an_id_of_more_than_one_session_names_them(home, kiro, talk):
    first, second = talk("one"), talk("two")
    folder = home / "sessions" / "core"
    twin = first[:8] + second[8:]
    told = json.loads((folder / f"{second}.json").read_text()) | {"id": twin}
    (folder / f"{twin}.json").write_text(json.dumps(told))
    shown = kiro("sessions", "show", first[:8])
    assert shown.returncode == 1
    assert first in shown.stderr
    assert twin in shown.stderr


def test_a_reader_that_has_enough_of_a_listing_ends_it_quietly():
    reading, writing = os.pipe()
    os.close(reading)
    told = subprocess.run([PROGRAM, "engines"], stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writing)
    assert (told.returncode, told.stderr) == (1, b"")


def test_plugins_are_listed_with_what_they_provide(kiro):
    plugins = {plugin["name"]: plugin for plugin in json.loads(kiro("plugins", "--json").stdout)}
    (provided,) = plugins["files"]["provides"]
    assert (provided["kind"], provided["name"], bool(provided["summary"])) == ("store", "files", True)
    assert (plugins["files"]["distribution"], plugins["files"]["problem"]) == ("kiro-core", "")
    assert f"store files: {provided['summary']}" in kiro("plugins").stdout


def test_a_plugin_that_is_not_loaded_is_listed_with_the_reason(kiro):
    told = kiro("plugins", "--set", 'plugins.block=["agents"]')
    (line,) = [line for line in told.stdout.splitlines() if line.startswith("agents")]
    assert "blocked by plugins.block" in line


def test_engines_are_listed_with_how_to_get_them(kiro):
    engines = {engine["name"]: engine for engine in json.loads(kiro("engines", "--json").stdout)}
    assert engines["rehearsal"]["installed"]
    assert (engines["kiro"]["installed"], engines["kiro"]["origin"]) == (False, "built-in")
    assert engines["kiro"]["install"] in kiro("engines").stdout


def _raising(error):
    def command():
        raise error

    return command


def test_the_list_of_all_commands_says_of_each_what_it_says_of_itself():
    context = click.Context(kiro_core)
    commands = {name: kiro_core.get_command(context, name) for name in kiro_core.list_commands(context)}
    formatter = click.HelpFormatter(width=1000)
    kiro_core.format_commands(context, formatter)
    listed = dict(line.split(None, 1) for line in formatter.getvalue().splitlines()[1:])
    assert listed == {name: command.get_short_help_str(1000) for name, command in commands.items()}
