"""The demo shows what it says, touches nothing of whoever watches it, and does not say what it has not seen."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("kiro-core")
STEPS = ["together", "question", "killed", "crew", "verified", "connected"]
BOUND_S = 240
LYING = f"""#!/bin/sh
case "$1 $2" in
"{{command}}") echo "{{words}}" ;;
*) exec {sys.executable} -c "import sys; sys.argv[0] = '$0'; from kiro_core.cli import main; main()" "$@" ;;
esac
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the demo makes its own."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


@pytest.fixture
def colours(monkeypatch, tmp_path):
    """A terminal that knows them, a person who wants them, and a shell on the path that `terminal` has."""
    (tmp_path / "bin").symlink_to("/bin")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def begun(folder, home, tmp_path):
    """Begin a demo, for a person whose own settings are of no use."""
    home.mkdir()
    (home / "kiro.toml").write_text("broken")
    environment = os.environ | {"KIRO_CORE_ENGINE": "nonsense", "KIRO_CORE_STORE": "nonsense"}
    processes = []

    def begin(*options, program=PROGRAM):
        pipe = subprocess.PIPE
        command = [program, "demo", *options]
        processes.append(
            subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=tmp_path, env=environment)
        )
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def lying(tmp_path):
    """A program that is the real one, but for what one command prints."""

    def write(command, words):
        path = tmp_path / "lying" / "kiro-core"
        path.parent.mkdir()
        path.write_text(LYING.format(command=command, words=words))
        path.chmod(0o700)
        return path

    return write


def processes_in(folder):
    """The commands of what runs in a home below this folder, where the system tells it."""
    found = []
    for process in Path("/proc").glob("[1-9]*"):
        try:
            if f"KIRO_HOME={folder}".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes())
        except OSError:
            continue
    return found


def contents(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_it_shows_everything_with_real_commands_and_leaves_nothing(begun, folder, home):
    shown, complaints = (demo := begun()).communicate(timeout=BOUND_S)
    assert (demo.returncode, complaints) == (0, "")
    titles, *steps = shown.split(f"/{len(STEPS)}  ")
    assert "export KIRO_HOME=" in titles
    assert [step.count("\nShown: ") for step in steps] == [1] * len(STEPS)
    assert "turns that run: 1" in steps[0]
    assert "\n  Your answer [1-3]: 3\n" in steps[1]
    assert "was cut off; how far it came is not known, and it is not repeated." in steps[2]
    assert "\n  review: succeeded\n" in steps[3]
    assert "\n  8 sessions checked, none with something to tell\n" in steps[4]
    assert "$ kiro-core connect zed\n" in steps[5]
    assert str(PROGRAM) in steps[5]
    assert (contents(folder), contents(home)) == ([], ["kiro.toml"])
    assert processes_in(folder) == []


def test_ctrl_c_at_a_terminal_leaves_no_process_and_no_folder(folder, colours, terminal):
    demo = terminal("demo")
    demo.expect("\x1b[1m$ kiro-core serve &\x1b[0m")
    demo.expect("$ mkfifo door")
    (own,) = folder.iterdir()
    assert own.stat().st_mode & 0o777 == 0o700
    demo.type("\x03")
    assert demo.ended() == 130, demo.shown
    assert (contents(folder), processes_in(folder)) == ([], [])


def test_a_signal_right_behind_kill_9_leaves_no_process_and_no_folder(begun, folder):
    demo = begun()
    assert any("$ kill -9" in line for line in demo.stdout)
    demo.terminate()
    _, complaints = demo.communicate(timeout=BOUND_S)
    assert (demo.returncode, complaints) == (128 + signal.SIGTERM, "")
    assert (contents(folder), processes_in(folder)) == ([], [])


def test_whoever_reads_its_output_may_go_away(begun, folder):
    demo = begun()
    demo.stdout.close()
    assert demo.wait(BOUND_S) == 1
    assert demo.stderr.read() == ""
    assert (contents(folder), processes_in(folder)) == ([], [])


def test_what_is_not_seen_is_not_said_to_be_shown(begun, folder, lying):
    program = lying("serve status", "sessions  0, agents: 0, turns that run: 0")
    demo = begun(program=program)
    shown, complaints = demo.communicate(timeout=BOUND_S)
    assert demo.returncode == 1
    assert "Shown:" not in shown
    assert "\n  sessions  0, agents: 0, turns that run: 0\n" in shown
    sentence = "The demo has not shown what its step 'together' promises. The desk does not have ann's turn."
    assert complaints.splitlines()[0] == f"kiro-core: {sentence}"
    assert (contents(folder), processes_in(folder)) == ([], [])


def test_a_program_is_told_each_step_as_an_object_and_the_folder_can_be_kept(begun, folder, lying):
    demo = begun("--output", "json", "--keep", program=lying("sessions audit", "Nobody was asked anything."))
    shown, complaints = demo.communicate(timeout=BOUND_S)
    told = [json.loads(line) for line in shown.splitlines()]
    assert demo.returncode == 1
    assert [(step["step"], step["ok"]) for step in told] == [("together", True), ("question", False)]
    assert all(step["shows"].endswith(".") and step["seconds"] > 0 for step in told)
    assert [step.get("reason") for step in told] == [None, "The answer is not on record."]
    (own,) = folder.iterdir()
    assert f"Everything is kept in {own}.\n" in complaints
    assert len(list((own / "kiro" / "sessions" / "core").glob("*.json"))) == 3
    assert processes_in(folder) == []
