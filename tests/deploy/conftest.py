"""The examples of docs/deploy.md, and a person's home in which they are tried with the real program."""

import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

PROGRAM = Path(sys.executable).with_name("kiro-core")
TEXT = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text("utf-8")
PORT = "8080"
"""The port of the examples."""


@pytest.fixture(scope="session")
def examples():
    """The blocks of a language, in their order."""
    return lambda language: re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
def person():
    """A home of a person, whose path is short enough for that of a socket, with the program where people have it."""
    home = Path(tempfile.mkdtemp(prefix="kc-", dir="/tmp"))
    (home / ".local" / "bin").mkdir(parents=True)
    (home / ".local" / "bin" / "kiro-core").symlink_to(PROGRAM)
    yield home
    shutil.rmtree(home)


@pytest.fixture
def environment(person):
    """What a process of that person finds, and nothing of ours."""
    return {"HOME": str(person), "PATH": f"{person}/.local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


@pytest.fixture
def port():
    """A port that was free a moment ago."""
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def served(environment, person):
    """Start a command that serves, and wait until it says so; its process."""
    started = []

    def serve(command, **more):
        env = environment | more.pop("env", {})
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdout=pipe, stderr=pipe, cwd=person, env=env, **more)
        started.append(process)
        ready, _, _ = select.select([process.stdout], [], [], 60)
        assert ready, "it does not get ready"
        line = process.stdout.readline().decode()
        assert line.startswith("The desk serves as pid"), process.stderr.read().decode()
        return process

    yield serve
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def run(environment, person):
    """Run a command to its end, as that person."""

    def running(*command, **more):
        env = environment | more.pop("env", {})
        return subprocess.run(
            command, capture_output=True, text=True, timeout=300, check=False, cwd=person, env=env, **more
        )

    return running


@pytest.fixture
def health():
    """Ask a port; the status."""

    def ask(port, question):
        try:
            with urlopen(f"http://127.0.0.1:{port}/{question}", timeout=30) as answer:
                return answer.status
        except HTTPError as error:
            error.close()
            return error.code

    return ask
