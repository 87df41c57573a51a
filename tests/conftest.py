"""Every asynchronous test runs on asyncio and on trio, with a home of its own."""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

# `importlib` mode puts no folder of tests on the path.
sys.path.append(str(Path(__file__).with_name("starting")))

import warm

# A shared machine is slow at times, which says nothing about a property. `tox -e fuzz` tries a hundred times as many.
settings.register_profile("usual", deadline=None, max_examples=50)
settings.register_profile("long", deadline=None, max_examples=int(os.environ.get("FUZZ_EXAMPLES", "5000")))
settings.load_profile("usual")


def pytest_configure(config):
    """Have one place for what starts the command; those that run tests side by side share that of their parent."""
    if not hasattr(config, "workerinput"):
        forks = ExitStack()
        forks.enter_context(warm.place())
        config.add_cleanup(forks.close)


# Each environment of tox runs on one loop at least, and all of them together on both.
@pytest.fixture(params=os.environ.get("TEST_BACKENDS", "asyncio,trio").split(","))
def anyio_backend(request):
    return request.param


@pytest.fixture(autouse=True)
def _own_home(tmp_path, monkeypatch):
    """No test reads or writes the person's own files, or takes settings from its environment."""
    for name in [name for name in os.environ if name.startswith(("KIRO_", "CLAUDE"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KIRO_HOME", str(tmp_path / "home" / ".kiro"))
    (tmp_path / "home").mkdir()


@pytest.fixture
def home(tmp_path):
    """Kiro's folder of the test's own home."""
    return tmp_path / "home" / ".kiro"
