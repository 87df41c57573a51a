"""The official Python SDK of the protocol at both ends of us: it was written by others, so it keeps us honest."""

import json
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# The modules beside this file and those of the wire: `importlib` mode puts no folder of tests on the path.
sys.path += [str(HERE), str(HERE.parent / "wire")]
pytest.register_assert_rewrite("sdk_shapes", "strictness")


@pytest.fixture
def anyio_backend():
    return "asyncio"  # the SDK knows no other


class Place:
    """A home, a working directory and settings of their own; `engines` are TOML tables by name."""

    def __init__(self, root):
        self.root = root
        self.cwd = str(root / "work")
        self.home = root / "home"
        self.agent_wire = root / "agent-wire"
        for folder in (root / "work", self.home / ".kiro", self.agent_wire):
            folder.mkdir(parents=True)
        self.settings = self.home / ".kiro" / "kiro.toml"
        self.settings.touch()

    @property
    def environment(self):
        """What a client's child gets on top of the SDK's own few variables."""
        ours = {
            name: value for name, value in os.environ.items() if name.startswith(("PYTHON", "LC_", "LANG", "COVERAGE"))
        }
        return {**ours, "HOME": str(self.home), "KIRO_HOME": str(self.home / ".kiro")}

    def engine(self, name, *command):
        """Add an engine to the settings; JSON strings are TOML strings."""
        with self.settings.open("a") as file:
            file.write(f"[engines.{name}]\ncommand = {json.dumps(command)}\n")

    def sdk_engine(self, *options):
        """Add the SDK's agent as engine `sdk`; what passes between it and us is kept in `agent_wire`."""
        self.engine("sdk", sys.executable, str(HERE / "sdk_agent.py"), str(self.agent_wire), *options)


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)
