"""A service manager starts the desk: it is told how the desk is, and hands over sockets that it has opened."""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("kiro-core")
HANDING_OVER = """
import fcntl, os, sys
fds = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[1].split(",")]
for number, fd in enumerate(fds, 3):
    os.dup2(fd, number)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(fds)), "LISTEN_FDNAMES": sys.argv[2]}
os.execv(sys.argv[3], sys.argv[3:])
"""


class Manager:
    """The other end of the notify socket."""

    def __init__(self, path):
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.settimeout(30)

    def hear(self):
        """The fields of the next message."""
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().splitlines())

    def until(self, field):
        while field not in (told := self.hear()):
            pass
        return told

    def will_hear_nothing(self):
        """It has been told nothing, by a process that has ended."""
        self._socket.settimeout(0)
        with pytest.raises(BlockingIOError):
            self._socket.recv(4096)

    def close(self):
        self._socket.close()


@pytest.fixture
def manager(folder):
    one = Manager(folder / "notify")
    yield one
    one.close()


@pytest.fixture
def watched(serve, manager, environment):
    """Start a desk as the manager does."""

    def start(*arguments, **more):
        return serve(*arguments, env=environment | {"NOTIFY_SOCKET": manager.path, **more})

    return start


@pytest.fixture
def handing_over(serve):
    """Start a desk that inherits sockets, each with its name."""

    def start(sockets, faces, **more):
        fds = [one.fileno() for _, one in sockets]
        numbers, names = ",".join(map(str, fds)), ":".join(name for name, _ in sockets)
        command = (sys.executable, "-c", HANDING_OVER, numbers, names, str(PROGRAM), "serve")
        return serve(faces=faces, command=command, pass_fds=fds, **more)

    return start


@pytest.fixture
def listening(folder):
    """A socket that listens at a path."""
    opened = []

    def listen(path):
        one = socket.socket(socket.AF_UNIX)
        opened.append(one)
        one.bind(str(path))
        one.listen()
        return one

    yield listen
    for one in opened:
        one.close()


def test_it_is_told_when_the_desk_is_ready_reads_its_settings_again_and_ends(watched, manager, place):
    desk = watched()
    ready = manager.hear()
    assert ready["READY"] == "1"
    assert ready["STATUS"] == desk.ready()
    assert str(place) in ready["STATUS"]
    before = time.monotonic_ns() // 1000
    desk.process.send_signal(signal.SIGHUP)
    reloading = manager.hear()
    assert reloading["RELOADING"] == "1"
    assert int(reloading["MONOTONIC_USEC"]) >= before
    assert manager.hear() == {"READY": "1", "STATUS": "Nothing has changed."}
    desk.process.send_signal(signal.SIGTERM)
    stopping = manager.hear()
    assert stopping["STOPPING"] == "1"
    assert stopping["STATUS"] == "The desk ends. Turns that run: 0; they have 60 s."
    assert int(stopping["EXTEND_TIMEOUT_USEC"]) >= (60 + 8) * 1_000_000
    assert desk.ended()[0] == 0


def test_a_watchdog_hears_it_twice_an_interval(watched, manager):
    watched(WATCHDOG_USEC="200000", WATCHDOG_PID="").ready()
    for _ in range(3):
        assert manager.until("WATCHDOG")["WATCHDOG"] == "1"


def test_a_watchdog_of_another_process_is_none_of_ours(watched, manager):
    desk = watched(WATCHDOG_USEC="1000", WATCHDOG_PID=str(os.getpid()))
    desk.ready()
    desk.process.send_signal(signal.SIGTERM)
    assert [list(manager.hear()) for _ in range(2)] == [
        ["READY", "STATUS"],
        ["STOPPING", "STATUS", "EXTEND_TIMEOUT_USEC"],
    ]


def test_a_start_that_fails_is_never_said_to_be_ready(watched, manager):
    assert watched("--set", "agent_sources=3").ended()[0] == 2
    manager.will_hear_nothing()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that are no files")
def test_its_socket_may_have_a_name_that_is_no_file(serve, environment):
    name = f"kiro-core-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(f"\0{name}")
        notified.settimeout(30)
        serve(env=environment | {"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert notified.recv(4096).startswith(b"READY=1\n")


def test_agents_are_not_told_of_it(watched, editor):
    watched(WATCHDOG_USEC="60000000").ready()
    client = editor()
    session = client.session()
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "LISTEN_FDS"):
        number = client.prompt(session, f"/env {name}")
        client.until_said(f"{name} is not set")
        assert "result" in client.answer(number)


def test_who_comes_before_the_desk_is_served_as_soon_as_it_is_there(handing_over, listening, place, editor, tmp_path):
    handed = listening(place)
    early = socket.socket(socket.AF_UNIX)
    early.settimeout(30)
    early.connect(str(place))
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": 1}}
    early.sendall(json.dumps(hello).encode() + b"\n")
    desk = handing_over([("editors", handed)], ['{use="acp", socket="editors"}'])
    assert desk.ready().endswith(f", and acp {place}.")
    with early, early.makefile("rb") as lines:
        assert json.loads(lines.readline())["result"]["protocolVersion"] == 1
    assert editor().session()
    desk.process.send_signal(signal.SIGTERM)
    assert desk.ended()[0] == 0
    assert place.exists()  # it is the manager's, which listens on


def test_the_socket_of_the_desk_itself_can_be_handed_over(handing_over, listening, kiro, environment, folder):
    env = environment | {"KIRO_HOME": str(folder)}
    path = Path(json.loads(kiro("serve", "status", "--json", env=env).stdout)["socket"])
    path.parent.mkdir(mode=0o700, parents=True)
    desk = handing_over([("desk", listening(path))], [], env=env)
    desk.ready()
    assert json.loads(kiro("serve", "status", "--json", env=env).stdout)["pid"] == desk.pid
    assert kiro("serve", "stop", env=env).returncode == 0
    assert desk.ended()[0] == 0
    assert path.exists()


def test_a_socket_of_the_desk_where_nobody_looks_for_it_is_refused(handing_over, listening, place, kiro):
    path = json.loads(kiro("serve", "status", "--json").stdout)["socket"]
    code, err = handing_over([("desk", listening(place))], []).ended()
    assert code == 2
    assert f"is at {place}, and clients look for it at {path}." in err
    assert f"ListenStream={path}" in err


def test_a_socket_that_nobody_serves_is_told(handing_over, listening, place):
    desk = handing_over([("odd", listening(place))], [])
    desk.ready()
    assert "nothing serves the socket 'odd'" in desk.until_logged("handed over")


def test_a_socket_that_does_not_listen_is_named(handing_over, folder):
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(folder / "deaf"))
        code, err = handing_over([("deaf", deaf)], []).ended()
    assert code == 2
    assert "The socket 'deaf' that was handed over does not listen." in err


def test_two_sockets_of_one_name_are_named(handing_over, listening, folder):
    code, err = handing_over([("same", listening(folder / name)) for name in "ab"], []).ended()
    assert code == 2
    assert "The socket 'same' that was handed over has the name of another one." in err
