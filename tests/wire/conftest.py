"""The real `kiro-core acp`, and at its other end editors and agents that write whatever a test wants."""

import os
import sys
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# The modules beside this file: `importlib` mode puts no folder of tests on the path.
sys.path.append(str(HERE))
pytest.register_assert_rewrite("strictness")

from far_end import FarEnd  # noqa: E402 - found on the path since the line above
from programs import engine  # noqa: E402 - the same

COUNTED = Counter()
"""How many lines each fuzz test has written."""


class Place:
    """A home, a working directory and the settings of `kiro-core acp`; it ends what was started in it."""

    def __init__(self, root):
        self.cwd = str(root / "work")
        self.home = root / "home"
        for folder in (root / "work", self.home / ".kiro"):
            folder.mkdir(parents=True)
        own = {name: value for name, value in os.environ.items() if not name.startswith(("KIRO_", "CLAUDE"))}
        self.environment = {**own, "HOME": str(self.home), "KIRO_HOME": str(self.home / ".kiro")}
        self._started = []

    def start(self, *options, engines=None, limits=None, **environment):
        """Start it with engines `{name: argv}`; the first is used."""
        named = engines or {}
        chosen = next(iter(named), "rehearsal")
        lines = [engine(name, command) for name, command in named.items()]
        lines += ["[limits]\n", *(f"{name} = {value}\n" for name, value in (limits or {}).items())]
        (self.home / ".kiro" / "kiro.toml").write_text("".join(lines))
        self._started.append(FarEnd(self, "--engine", chosen, *options, environment=environment))
        return self._started[-1]

    def record(self, session):
        """The record of a session, as bytes."""
        return (self.home / ".kiro" / "sessions" / "core" / f"{session}.jsonl").read_bytes()

    def clear(self):
        """End what still runs."""
        while self._started:
            self._started.pop().destroy()


@pytest.fixture
def place(tmp_path):
    """A place of the test's own."""
    place = Place(tmp_path / "place")
    yield place
    place.clear()


@pytest.fixture(scope="module")
def shared_place(tmp_path_factory):
    """A place for all examples of a module."""
    place = Place(tmp_path_factory.mktemp("place"))
    yield place
    place.clear()


@pytest.fixture(scope="module")
def count(request):
    """`count(5)`: five more lines were written by this module's tests."""
    return lambda lines: COUNTED.update({request.module.__name__.rpartition(".")[2]: lines})


def pytest_terminal_summary(terminalreporter):
    """Say how much was tried, which no number of passed tests tells."""
    for name, lines in COUNTED.items():
        terminalreporter.write_line(f"{name}: {lines} lines")
