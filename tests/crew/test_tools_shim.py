"""The program between an agent and its desk carries bytes both ways, costs little, and says what is wrong."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

import kiro_core.crew
from kiro_core.control.places import address

SHIM = Path(kiro_core.crew.__file__).with_name("shim.py")
PYTHON = [sys.executable, "-I", "-S"]
IMPORTED = re.compile(r"import time:\s+\d+ \|\s+\d+ \| +(\S+)")
BIG = os.urandom(1024) * 5 * 1024
BOUND_S = 20
DESK_GONE = "cannot be reached at"


class Desk:
    """What listens where a desk would; `asked` is the first line that came."""

    def __init__(self, path, answer=b'{"jsonrpc":"2.0","id":0,"result":{}}\n'):
        self.path, self.answer = path, answer
        self.listener = socket.socket(socket.AF_UNIX)
        with address(path) as name:
            self.listener.bind(name)
        self.listener.listen()
        self.listener.settimeout(BOUND_S)

    def meet(self):
        connection, _ = self.listener.accept()
        connection.settimeout(BOUND_S)
        self.asked = b""
        while not self.asked.endswith(b"\n"):
            self.asked += connection.recv(1)
        connection.sendall(self.answer)
        return connection


@pytest.fixture
def listening(tmp_path):
    """`listening(answer=...)`: a desk at a path, until the test has ended."""
    with ExitStack() as stack:

        def listen(folder=tmp_path, **answer):
            desk = Desk(folder / "desk.sock", **answer)
            stack.callback(desk.listener.close)
            return desk

        yield listen


@pytest.fixture
def desk(listening):
    return listening()


@contextmanager
def started(path, token="t", **more):
    """The shim as an agent starts it; whatever happens, it is gone afterwards."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen([*PYTHON, str(SHIM), str(path)], env={"KIRO_CREW_TOKEN": token}, **{**pipes, **more})
    watchdog = threading.Timer(BOUND_S, process.kill)
    watchdog.start()
    try:
        yield process
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


def read_all(connection):
    chunks = []
    while chunk := connection.recv(65536):
        chunks.append(chunk)
    return b"".join(chunks)


def test_it_imports_next_to_nothing(desk):
    def modules(*command, **more):
        command = [*PYTHON, "-X", "importtime", *command]
        process = subprocess.run(command, check=False, capture_output=True, text=True, timeout=BOUND_S, **more)
        return set(IMPORTED.findall(process.stderr))

    bare = modules("-c", "pass")
    missing = modules(str(SHIM), str(desk.path) + ".none", env={})
    assert missing - bare <= {"_socket", "select", "os", "stat", "_stat", "posixpath", "genericpath", "os.path"} | {
        "_collections_abc"
    }
    assert {"_socket", "select"} <= missing


def test_it_introduces_itself_with_its_token_and_carries_bytes_both_ways(desk):
    with started(desk.path, token="a-secret") as process, desk.meet() as connection:
        asked = json.loads(desk.asked)
        assert (asked["method"], asked["params"]) == ("_kiro_core/crew", {"token": "a-secret"})
        process.stdin.write(b"to the desk\n")
        process.stdin.flush()
        assert connection.recv(100) == b"to the desk\n"
        connection.sendall(b"to the agent\n")
        assert process.stdout.readline() == b"to the agent\n"


def test_what_comes_together_with_the_answer_is_not_lost(listening):
    desk = listening(answer=b'{"jsonrpc":"2.0","id":0,"result":{}}\nat once\n')
    with started(desk.path) as process, desk.meet():
        assert process.stdout.readline() == b"at once\n"


def test_large_messages_pass_both_ways_at_a_time(desk):
    """Nobody reads before it has written all: one direction that waits must not hold up the other."""
    with started(desk.path) as process, desk.meet() as connection:
        sending = threading.Thread(target=lambda: connection.sendall(BIG))
        sending.start()
        received = []
        reading = threading.Thread(target=lambda: received.append(read_all(connection)))
        reading.start()
        process.stdin.write(BIG)
        process.stdin.close()
        reading.join(BOUND_S)
        assert received == [BIG]
        assert process.stdout.read(len(BIG)) == BIG
        sending.join(BOUND_S)


def test_an_agent_that_closes_its_side_still_gets_what_the_desk_has_to_say(desk):
    with started(desk.path) as process, desk.meet() as connection:
        process.stdin.write(b"the last question\n")
        process.stdin.close()
        assert read_all(connection) == b"the last question\n"
        connection.sendall(b"the last answer\n")
        connection.close()
        assert process.stdout.read() == b"the last answer\n"
        assert (process.wait(BOUND_S), process.stderr.read()) == (0, b"")


def test_an_agent_that_is_gone_is_noticed_though_nothing_is_said(desk):
    with started(desk.path) as process, desk.meet() as connection:
        process.stdout.close()
        process.stdin.close()
        assert connection.recv(1) == b""
        assert process.wait(BOUND_S) == 0


def test_a_desk_that_ends_is_told(desk):
    with started(desk.path) as process, desk.meet() as connection:
        connection.sendall(b"half a li")
        connection.close()
        assert process.stdout.read() == b"half a li"
        assert process.wait(BOUND_S) == 1
        assert process.stderr.read() == b"The desk of this session has hung up.\n"


@pytest.mark.parametrize("left", ["nothing", "a file at which nobody listens"])
def test_a_desk_that_is_not_there_is_a_sentence(desk, left):
    desk.listener.close()
    if left == "nothing":
        desk.path.unlink()
    with started(desk.path) as process:
        assert process.wait(BOUND_S) == 1
        [line] = process.stderr.read().decode().splitlines()
        assert line.startswith(f"The desk of this session {DESK_GONE} {desk.path}: ")


@pytest.mark.parametrize("answer", [b'{"jsonrpc":"2.0","id":0,"error":{"code":-32602,"message":"No."}}\n', b""])
def test_a_token_that_is_not_good_is_a_sentence_and_the_token_is_in_none(listening, answer):
    desk = listening(answer=answer)
    with started(desk.path, token="a-secret") as process:
        desk.meet().close()
        assert process.wait(BOUND_S) == 1
        told = process.stderr.read() + process.stdout.read()
        assert told.startswith(b"The desk")
        assert b"a-secret" not in told


@pytest.mark.skipif(sys.platform != "linux", reason="only there a desk can have such a path")
def test_a_path_that_is_too_long_for_a_socket_is_reached(listening, tmp_path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    desk = listening(folder)
    with started(desk.path) as process, desk.meet() as connection:
        connection.sendall(b"here\n")
        assert process.stdout.readline() == b"here\n"
