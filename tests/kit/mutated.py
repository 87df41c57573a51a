"""Each contract on a double, with nothing but its core promises: sound, and once more for each mutant.

It is run by `test_mutants.py`, in a run of its own.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import mutants
import pytest
import skeletons
import small_middleware
import team

from kiro_core.testing import (
    AgentSourceContract,
    FaceContract,
    LauncherContract,
    MiddlewareContract,
    StoreContract,
    WireContract,
    memory,
    promises,
)

PATIENCE_S = 2
"""What a broken double never does is waited for no longer."""


@pytest.fixture
def anyio_backend():
    return "asyncio"


class Team(AgentSourceContract):
    provider = "team"
    plugin = team

    @pytest.fixture
    def agents(self):
        return {"polite": "Say please."}


class Memory(StoreContract):
    provider = "memory"
    plugin = memory
    shared = False

    @pytest.fixture
    def options(self, tmp_path):
        return {"name": str(tmp_path)}


class Files(StoreContract):
    provider = "files"

    @pytest.fixture
    def options(self, tmp_path):
        return {"root": tmp_path / "sessions"}


class Launcher(LauncherContract):
    provider = "example"
    plugin = skeletons.launcher

    @pytest.fixture
    def options(self):
        return {"grace_s": 0.2}


class Wire(WireContract):
    provider = "example"
    plugin = skeletons.transport

    @pytest.fixture
    def serve(self, wire):
        return wire.converse


class Face(FaceContract):
    provider = "example"
    plugin = skeletons.transport

    @pytest.fixture
    def options(self):
        with TemporaryDirectory(prefix="kit-", dir="/tmp") as folder:
            yield {"socket": Path(folder) / "s"}


class Middleware(MiddlewareContract):
    provider = "hush"
    plugin = small_middleware


class Mutated:
    """In front of a contract: one promise of it, broken."""

    @pytest.fixture(autouse=True)
    def _broken(self, monkeypatch):
        monkeypatch.setattr(*mutants.MUTANTS[self.only])
        fail_after = anyio.fail_after
        monkeypatch.setattr(anyio, "fail_after", lambda delay: fail_after(min(delay, PATIENCE_S)))
        yield
        mutants.end_strays()


DOUBLES = {"agents": Team, "store": Memory, "launcher": Launcher, "wire": Wire, "face": Face, "middleware": Middleware}


def _double(promise):
    """What is true of several processes is broken where there are several."""
    return Files if promise.startswith(("store.process.", "store.crash.")) else DOUBLES[promise.partition(".")[0]]


for _id in [promise.id for promise in promises() if promise.core]:
    _name, _members = "".join(filter(str.isalnum, _id.title())), {"only": _id}
    globals()[f"TestSound{_name}"] = type(f"TestSound{_name}", (_double(_id),), _members)
    globals()[f"TestMutant{_name}"] = type(f"TestMutant{_name}", (Mutated, _double(_id)), _members)
