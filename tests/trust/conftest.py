"""Untrusted folders, the user's trust, and the choice that a session would make between them."""

import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import pytest

from kiro_agents import kiro_agents
from kiro_core.agentconfig import read_contents, resolve
from kiro_core.trust import Trust, guarded

# The module beside this file: `importlib` mode puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))

import workspaces


@pytest.fixture
def workspace(tmp_path):
    """An empty folder."""
    return workspaces.empty(tmp_path)


@pytest.fixture
def trust(home):
    return Trust(home)


@pytest.fixture
async def sources(home):
    (provider,) = kiro_agents()
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(provider.open(provider.options(home=home)))]


@pytest.fixture
def choose(sources, trust, home):
    """`choose(folder, agent)`: what a session gets there, with all that its configuration refers to."""

    async def chosen(folder, agent="review"):
        with anyio.fail_after(30):
            resolved = await guarded(await resolve(sources, folder, requested=agent, home=home), trust)
            return resolved, read_contents(resolved.config, folder)[0]

    return chosen


@pytest.fixture
def unprivileged():
    """Root reads everything."""
    if os.geteuid() == 0:
        pytest.skip("needs a user who may not read everything")
