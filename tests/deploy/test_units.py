"""The systemd units of docs/deploy.md: systemd reads them, and what they say works with the real program."""

import configparser
import json
import shlex
import shutil
import signal
import socket
import subprocess
import sys

import pytest

HANDING_OVER = """
import fcntl, os, sys
fd = fcntl.fcntl(int(sys.argv[1]), fcntl.F_DUPFD, 100)
os.dup2(fd, 3)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": sys.argv[2]}
os.execv(sys.argv[3], sys.argv[3:])
"""


@pytest.fixture
def units(examples, person):
    """Both units as text, for that person."""
    return [text.replace("%h", str(person)) for text in examples("ini")]


def parsed(text):
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str
    parser.read_string(text)
    return parser


@pytest.fixture
def service(units):
    return parsed(units[0])["Service"]


@pytest.fixture
def notified(person):
    """The socket at which a service manager hears the desk."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(str(person / "notify"))
        one.settimeout(60)
        yield one


@pytest.fixture
def by_the_unit(service, person):
    """The environment of the service's processes."""
    name, value = service["Environment"].split("=", 1)
    seconds = int(service["WatchdogSec"])
    return {name: value, "NOTIFY_SOCKET": str(person / "notify"), "WATCHDOG_USEC": str(seconds * 1_000_000)}


def said(notified):
    """The names of the fields of the next message that is none of the watchdog's."""
    while (fields := [line.split("=")[0] for line in notified.recv(4096).decode().splitlines()]) == ["WATCHDOG"]:
        pass
    return fields


def test_the_service_starts_reloads_and_ends_as_the_unit_says(service, served, run, notified, by_the_unit):
    assert service["Type"] == "notify"
    process = served(shlex.split(service["ExecStart"]), env=by_the_unit)
    assert said(notified) == ["READY", "STATUS"]
    reloaded = run(*shlex.split(service["ExecReload"]), env={"PATH": by_the_unit["PATH"]})
    assert (reloaded.returncode, reloaded.stdout) == (0, "Nothing has changed.\n")
    assert said(notified) == ["RELOADING", "MONOTONIC_USEC", "STATUS"]
    assert said(notified) == ["READY", "STATUS"]
    process.send_signal(signal.SIGTERM)  # KillMode=mixed: to the main process alone
    assert service["KillMode"] == "mixed"
    assert said(notified) == ["STOPPING", "STATUS", "EXTEND_TIMEOUT_USEC"]
    assert process.wait(60) == 0


def test_the_watchdog_hears_it(service, served, notified, by_the_unit):
    served(shlex.split(service["ExecStart"]), env=by_the_unit)
    while b"WATCHDOG=1" not in notified.recv(4096):
        pass


def test_the_socket_unit_is_where_clients_look_and_starts_the_desk(units, service, served, run):
    listening = parsed(units[1])["Socket"]
    absent = json.loads(run("kiro-core", "serve", "status", "--json").stdout)
    assert listening["ListenStream"] == absent["socket"]
    with socket.socket(socket.AF_UNIX) as handed:
        subprocess.run(
            ["mkdir", "-p", "-m", listening["DirectoryMode"], absent["socket"].rpartition("/")[0]], check=True
        )
        handed.bind(listening["ListenStream"])
        handed.listen()
        name, fd = listening["FileDescriptorName"], handed.fileno()
        program = shlex.split(service["ExecStart"])
        process = served([sys.executable, "-c", HANDING_OVER, str(fd), name, *program], pass_fds=[fd])
        assert json.loads(run("kiro-core", "serve", "status", "--json").stdout)["pid"] == process.pid


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here to judge")
def test_systemd_finds_nothing_to_complain_of(units, person):
    for name, text in zip(("kiro-core.service", "kiro-core.socket"), units, strict=True):
        (person / name).write_text(text)
    told = subprocess.run(
        ["systemd-analyze", "verify", "kiro-core.socket", "kiro-core.service"],
        cwd=person,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    complaints = [line for line in told.stderr.splitlines() if "kiro-core" in line]
    assert (told.returncode, complaints) == (0, [])
