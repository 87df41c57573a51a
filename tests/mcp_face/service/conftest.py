"""The service of MCP hosts on a real desk in this process, with rehearsal agents behind it as real processes."""

import json
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from kiro_core.dispatcher import open_desk
from kiro_core.registry import Registry
from kiro_core.settings import load_settings
from kiro_mcp.options import McpOptions
from kiro_mcp.service import open_service
from kiro_mcp.service.failing import CODES, ToolFailure
from kiro_mcp.service.hosts import Host

REHEARSAL = [sys.executable, "-P", "-m", "kiro_core.rehearsal"]
SCRIPTED = Path(__file__).parents[2] / "desk" / "scripted_agent.py"


class Place:
    """A service, with what one host does most as short calls."""

    def __init__(self, service, desk):
        self.service, self.desk = service, desk
        self.sessions, self.tasks, self.questions = service.sessions, service.tasks, service.questions
        self.host = Host(connected=True)

    async def create(self, host=None, **wishes):
        return (await self.sessions.create(host or self.host, **wishes)).id

    async def chat(self, message, session="", host=None):
        """The task, when it is done."""
        begun = await self.tasks.start(host or self.host, message, session)
        return await self.done(begun.id, host)

    async def done(self, task, host=None):
        """The task as it ends, with all of its chunks."""
        chunks = []
        while True:
            view = await self.tasks.follow(host or self.host, task, len(chunks), 30, whole=True)
            chunks += view.chunks
            if view.is_done:
                assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
                return view

    async def until(self, task, status):
        """Wait until a task has come so far."""
        index = 0
        while (view := await self.tasks.follow(self.host, task, index, 30)).status != status:
            index = view.last_chunk_index + 1
        return view

    async def asked(self, task):
        """Wait until the agent asks something."""
        while (view := await self.tasks.follow(self.host, task, 10**9, 30)).question is None:
            assert not view.is_done
        return view.question

    def state(self, session):
        return next((each.state for each in self.sessions.listed(self.host) if each.id == session), "gone")

    async def gone(self, session):
        """Wait until a session is not open here any more."""
        await self._until(lambda: self.state(session) == "gone")

    async def ended(self, session):
        """Wait until a session has ended, whoever sees it."""
        await self._until(lambda: session not in self.sessions._table.lives)

    async def _until(self, true):
        changed = [anyio.Event()]

        def listen(_):
            before, changed[0] = changed[0], anyio.Event()
            before.set()

        unsubscribe = self.service.subscribe(listen)
        while not true():
            await changed[0].wait()
        unsubscribe()


@pytest.fixture
def loaded():
    """`loaded(engines={name: options}, scripted={name: code}, programs={name: argv}, **settings)`: the settings."""

    def load(engines=None, scripted=None, programs=None, **settings):
        named = {name: {"command": argv} for name, argv in (programs or {}).items()}
        named |= {name: {"command": [*REHEARSAL, *options]} for name, options in (engines or {}).items()}
        for name, code in (scripted or {}).items():
            named[name] = {"command": [sys.executable, "-P", str(SCRIPTED), json.dumps(code)]}
        return load_settings({"engines": named, **settings})

    return load


@pytest.fixture
def opened(loaded, tmp_path):
    """`async with opened(engines={...}, settings={...}, **options) as place`: a service with these McpOptions."""

    @asynccontextmanager
    async def open_place(*, engines=None, scripted=None, engine="rehearsal", plugins=(), settings=None, **options):
        chosen = loaded(engines, scripted, **(settings or {}))
        options.setdefault("working_directory", str(tmp_path))
        async with (
            open_desk(chosen, Registry(*plugins), engine=engine, face="mcp") as desk,
            open_service(desk, McpOptions(**options)) as service,
        ):
            yield Place(service, desk)

    return open_place


@pytest.fixture
def refused():
    """`await refused(call, ...)`: the failure of a call, in the one shape that all have."""

    async def refused(call, *arguments, **options):
        with pytest.raises(ToolFailure) as caught:
            await call(*arguments, **options)
        told = caught.value.told()
        assert list(told) == ["code", "message", "details", "hint"]
        assert told["code"] in CODES
        assert told["message"].endswith(".")
        json.dumps(told)
        return caught.value

    return refused


class Gate:
    """A named pipe at which agents wait: `wait` is the code for `scripted_agent.py`, `let_in` lets some go on."""

    def __init__(self, path):
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.wait = f"open({str(path)!r}, 'r+b', buffering=0).read(1)"

    def let_in(self, agents=1):
        os.write(self._fd, b"." * agents)

    def close(self):
        os.close(self._fd)


@pytest.fixture
def gate(tmp_path):
    gate = Gate(tmp_path / "gate")
    yield gate
    gate.close()
