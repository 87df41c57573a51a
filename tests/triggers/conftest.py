"""Triggers as real shell commands, started by the launcher that everybody has."""

import os

import anyio
import pytest

from kiro_core.agentconfig.format import Trigger
from kiro_core.agentconfig.triggers import Triggers
from kiro_local import kiro_launchers

LIMIT_S = 30


class Bounded(Triggers):
    """No test waits for ever."""

    async def run(self, event, payload, tool=""):
        with anyio.fail_after(LIMIT_S):
            return await super().run(event, payload, tool)


@pytest.fixture
async def launcher():
    (provider,) = kiro_launchers()
    async with provider.open(provider.options(grace_s=0.05)) as opened:
        yield opened


@pytest.fixture
def triggers(launcher, tmp_path):
    """`triggers(event=[command or fields of a trigger], ...)`: those of a session in the folder of the test."""

    def made(*, launcher=launcher, cwd=tmp_path, session="s-1", **hooks):
        named = {name: hooks.pop(name) for name in ("fail_closed", "origin") if name in hooks}
        written = {
            event: [Trigger(**({"command": each} if isinstance(each, str) else each)) for each in entries]
            for event, entries in hooks.items()
        }
        return Bounded(written, launcher, cwd=str(cwd), session=session, **named)

    return made


class Held:
    """A named pipe that processes hold open; its end tells that none of them is left."""

    def __init__(self, path):
        self.path = path
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    async def read(self):
        with anyio.fail_after(LIMIT_S):
            await anyio.wait_readable(self._fd)
            return os.read(self._fd, 4096)

    async def all_gone(self):
        while await self.read():
            pass

    def close(self):
        os.close(self._fd)


@pytest.fixture
def held(tmp_path):
    """Make such a pipe in the folder of the test, under a name."""
    made = []

    def make(name):
        made.append(Held(tmp_path / name))
        return made[-1]

    yield make
    for one in made:
        one.close()
