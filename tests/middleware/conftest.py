"""A desk with middlewares: clients call it, and rehearsal agents run behind it as real processes."""

import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from kiro_core import Frame, Registry, load_settings, open_desk
from kiro_core.journal import entry
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo

# `importlib` mode puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))

from scripted_layers import REHEARSAL, Plugin
from wrongs import LIMIT_S, works


class House:
    """A desk with the verbs of a client as short calls."""

    def __init__(self, desk, agent, client, folder):
        self.desk, self.agent, self.client, self._folder = desk, agent, client, folder

    async def start(self, name="", **wishes):
        """A session; `name` is what it is called, and what middlewares know it by."""
        params = {"cwd": str(self._folder), "mcpServers": [], "_meta": {"kiro_core": {"name": name, **wishes}}}
        return (await self.agent.new(Frame.of("session/new", params, id=0))).result["sessionId"]

    async def ask(self, session, text, **wishes):
        params = {"sessionId": session, "prompt": [{"type": "text", "text": text}], "_meta": {"kiro_core": wishes}}
        return await self.agent.prompt(Frame.of("session/prompt", params, id=0))

    async def prompt(self, session, text, **wishes):
        """Have a turn: its outcome."""
        return await (await self.ask(session, text, **wishes)).settled()

    async def load(self, session):
        params = {"sessionId": session, "cwd": str(self._folder), "mcpServers": []}
        return (await self.agent.open(Frame.of("session/load", params, id=0), replay=True)).result

    async def call(self, method, session, **params):
        return await self.agent.call(Frame.of(method, {"sessionId": session, **params}, id=0))

    async def cancel(self, session):
        await self.agent.cancel(Frame.of("session/cancel", {"sessionId": session}))

    async def close(self, session):
        await self.agent.close(Frame.of("session/close", {"sessionId": session}, id=0))

    async def ended(self, session):
        """Wait until a session has ended by itself."""
        if session in self.desk.live:
            await self.desk.live[session].ended.wait()

    async def entries(self, session, *kinds):
        """What is on record, all of it or of some kinds."""
        found = [entry(record) async for record in self.desk.read(session)]
        return [item for item in found if not kinds or item.kind in kinds]

    async def recorded(self, session, kind):
        """The first thing of that kind that is on record, which may be soon."""
        while not (found := await self.entries(session, kind)):
            await anyio.lowlevel.checkpoint()
        return found[0]

    def notices(self, session):
        """What the client was told outside the conversation, by kind."""
        told = [update for update in self.client.updates(session) if update.get("sessionUpdate") == "notice"]
        return {update["_meta"]["kiro_core"]["notice"]: update["title"] for update in told}


@pytest.fixture
def opened_house(tmp_path):
    """`async with opened_house(client, name=enter, ...) as house`: a desk with these middlewares, in that order."""

    @asynccontextmanager
    async def opened(client, *, settings=None, engines=(), plugins=(), **middlewares):
        named = {"rehearsal": {"command": REHEARSAL}, **dict(engines)}
        chosen = {"engine": "rehearsal", "middlewares": list(middlewares), **(settings or {})}
        registry = Registry(Plugin(**middlewares), *plugins)
        async with (
            open_desk(load_settings({"engines": named, **chosen}), registry) as desk,
            desk.attach(client) as agent,
        ):
            yield House(desk, agent, client, tmp_path)

    return opened


@pytest.fixture
def on_disk(home):
    """`on_disk(words)`: the files of this user in which these words stand."""

    def found(words):
        files = (path for path in home.rglob("*") if path.is_file())
        return sorted(path.name for path in files if words.encode() in path.read_bytes())

    return found


@pytest.fixture
def beside(opened_house):
    """`async with beside(enter) as (house, fine)`: a desk with a broken middleware, and a session that it spares."""

    @asynccontextmanager
    async def opened(enter, **more):
        client = RecordingClient(PeerInfo("told", abilities=frozenset({"notices"})))
        settings = {"limits": {"middleware_s": LIMIT_S, "close_s": 2}, **more}
        with anyio.fail_after(30):
            async with opened_house(client, settings=settings, broken=enter) as house:
                fine = await house.start("fine")
                yield house, fine
                await works(house, fine)

    return opened
