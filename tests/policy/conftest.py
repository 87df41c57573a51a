"""A folder to judge about, and policies for it."""

import sys
from pathlib import Path

import pytest

# The modules beside this file: `importlib` mode puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))


@pytest.fixture
def folder(tmp_path):
    from cases import make_folder

    (tmp_path / "work").mkdir()
    return make_folder(tmp_path / "work")


@pytest.fixture
def policy(folder, tmp_path):
    """A policy of these fields of a configuration, in the folder."""
    from kiro_core.policy import compile_policy
    from kiro_core.types import AgentConfig

    def compiled(fields=None, **more):
        config = AgentConfig("case", fields={"name": "case", **(fields or {})})
        return compile_policy(config, cwd=str(folder), home=tmp_path / "home", **more)

    return compiled


@pytest.fixture
def use():
    """What an agent that names its tools as Kiro does asks for."""
    from cases import call

    from kiro_core.engines import load_engines
    from kiro_core.policy import identify

    engine = load_engines({})["rehearsal"]

    def used(tool, kind="other", **arguments):
        return identify(call(tool, kind, **arguments), engine, ["git", "hub"])

    return used
