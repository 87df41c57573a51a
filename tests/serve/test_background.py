"""A desk that is started and left alone: it needs no terminal, and a start that fails says why."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("kiro-core")


@pytest.fixture
def background(kiro):
    """Start one in the background; whatever runs in the end is ended."""

    def start(*arguments, **more):
        return kiro("serve", "--background", *arguments, **more)

    yield start
    kiro("serve", "stop")


@pytest.fixture
def log(home):
    return home / "run" / "serve.log"


def running(kiro):
    return json.loads(kiro("serve", "status", "--json").stdout)


def test_it_returns_when_the_desk_is_ready_and_leaves_it_without_a_terminal(background, kiro, log):
    started = background()
    assert (started.returncode, started.stderr) == (0, "")
    told = running(kiro)
    pid = told["pid"]
    assert started.stdout.splitlines() == [
        f"The desk serves as pid {pid} at {told['socket']}.",
        f"Its log is {log}.",
    ]
    assert os.getsid(pid) == pid != os.getsid(0)
    assert log.stat().st_mode & 0o777 == 0o600
    assert f"INFO: The desk serves as pid {pid}" in log.read_text()
    assert kiro("serve", "stop").returncode == 0
    assert not running(kiro)["running"]
    assert "INFO: The desk ends." in log.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process has open")
def test_it_holds_nothing_of_who_started_it(background, kiro, log):
    assert background().returncode == 0
    fds = Path(f"/proc/{running(kiro)['pid']}/fd")
    targets = {fd.name: str(fd.readlink()) for fd in fds.iterdir()}
    assert (targets["0"], targets["1"], targets["2"]) == (os.devnull, str(log), str(log))
    assert not [target for target in targets.values() if "pipe" in target]


def test_settings_that_are_wrong_are_told_with_the_last_words(background, log):
    failed = background("--set", "limits.drain=9")
    assert failed.returncode == 2
    assert failed.stdout == ""
    first, *rest = failed.stderr.splitlines()
    assert first == f"kiro-core: The desk has ended; its log is {log}."
    assert "there is no key 'limits.drain' (argument --set); did you mean 'limits.drain_s'?" in rest[0]


def test_a_second_one_says_who_the_first_is_and_only_its_own_words(background, kiro):
    assert background().returncode == 0
    pid = running(kiro)["pid"]
    refused = background()
    assert refused.returncode == 1
    assert f"A desk serves these sessions already: pid {pid}" in refused.stderr
    assert "The desk serves as" not in refused.stderr
    assert running(kiro)["pid"] == pid


def test_its_options_are_those_of_the_foreground(background, kiro, tmp_path, environment):
    config = tmp_path / "other.toml"
    config.write_text('agent = "from-a-file"\n')
    started = background("--config", "other.toml", "--set", "limits.drain_s=7")
    assert started.returncode == 0, started.stderr
    assert set(running(kiro)["settings"]) == {"agent", "limits.drain_s"}


def test_its_log_goes_on_and_one_that_has_become_long_is_kept_once(background, kiro, log):
    log.parent.mkdir(mode=0o700, parents=True)
    log.write_text("what was there\n")
    assert background().returncode == 0
    assert kiro("serve", "stop").returncode == 0
    assert log.read_text().startswith("what was there\n")
    log.write_bytes(b"x" * (1024 * 1024 + 1))
    assert background().returncode == 0
    assert log.with_name("serve.log.1").read_bytes().startswith(b"xxx")
    assert log.read_text().count("The desk serves as") == 1


def test_a_log_that_leads_elsewhere_is_not_followed(background, log, tmp_path):
    log.parent.mkdir(mode=0o700, parents=True)
    (tmp_path / "other").write_text("")
    log.symlink_to(tmp_path / "other")
    assert background().returncode == 1
    assert (tmp_path / "other").read_text() == ""


def test_who_does_not_wait_for_it_leaves_no_desk_half_begun(kiro, environment, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    (tmp_path / "held.toml").symlink_to(gate)  # reading the settings waits for it
    command = [PROGRAM, "serve", "--background", "--config", "held.toml"]
    starting = subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=tmp_path, env=environment)
    with starting, gate.open("w"):  # opens when the desk reads
        starting.send_signal(signal.SIGINT)
        assert starting.wait(30) == 130
    assert not running(kiro)["running"]
