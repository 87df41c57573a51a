"""Real agent programs behind `kiro-core acp`: what others wrote keeps us honest, as nothing of ours can."""

import sys
from pathlib import Path

import pytest

# The modules beside this file: `importlib` mode puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))
pytest.register_assert_rewrite("real.agent", "real.editor")


def pytest_generate_tests(metafunc):
    from real.installed import wanted

    if "agent" in metafunc.fixturenames:
        metafunc.parametrize("agent", wanted(), indirect=True)


@pytest.fixture
def anyio_backend():
    return "asyncio"  # all that is tested runs in other processes


@pytest.fixture
def model():
    """The model of all agents: nothing may be asked of it that it does not understand."""
    from real.model import Endpoint

    with Endpoint() as endpoint:
        yield endpoint
    assert endpoint.failures == []


@pytest.fixture
def agent(request, model, tmp_path):
    from real.agent import Agent

    return Agent(request.param, model, tmp_path / "place")
