"""A desk without a wire: clients call it, and rehearsal agents run behind it as real processes."""

import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kiro_core.dispatcher import open_desk
from kiro_core.frames import Frame
from kiro_core.journal import entry
from kiro_core.registry import Registry
from kiro_core.settings import load_settings

# The module beside this file: `importlib` mode puts no folder of tests on the path.
sys.path.append(str(Path(__file__).parent))

from frail_store import FrailStore

REHEARSAL = [sys.executable, "-P", "-m", "kiro_core.rehearsal"]


def options(result):
    """The configuration options of an answer, each by its id."""
    return {option["id"]: option for option in result["configOptions"]}


class Office:
    """A desk with the verbs of its clients as short calls."""

    def __init__(self, desk, agent, client, cwd):
        self.desk, self.agent, self.client, self.cwd = desk, agent, client, cwd

    async def new(self, *, servers=(), params=None, **wishes):
        named = [{"name": n, "command": "x", "args": [], "env": []} for n in servers]
        params = {"cwd": str(self.cwd), "mcpServers": named, **(params or {})}
        if wishes:
            params["_meta"] = {"kiro_core": wishes}
        return (await self.agent.new(Frame.of("session/new", params, id=0))).result

    async def start(self, **wishes):
        return (await self.new(**wishes))["sessionId"]

    async def load(self, session, *, replay=True, **wishes):
        meta = {"_meta": {"kiro_core": wishes}} if wishes else {}
        params = {"sessionId": session, "cwd": str(self.cwd), "mcpServers": [], **meta}
        return (await self.agent.open(Frame.of("session/load", params, id=0), replay=replay)).result

    async def ask(self, session, text, *more, **meta):
        params = {"sessionId": session, "prompt": [{"type": "text", "text": text}, *more]}
        if meta:
            params["_meta"] = {"kiro_core": meta}
        return await self.agent.prompt(Frame.of("session/prompt", params, id=0))

    async def call(self, method, session, **params):
        return await self.agent.call(Frame.of(method, {"sessionId": session, **params}, id=0))

    async def set(self, session, option, value):
        """Set an option; all options by their id."""
        response = await self.call("session/set_config_option", session, configId=option, value=value)
        return options(response.result)

    async def prompt(self, session, text, *more, **meta):
        return await (await self.ask(session, text, *more, **meta)).settled()

    async def cancel(self, session):
        await self.agent.cancel(Frame.of("session/cancel", {"sessionId": session}))

    async def close(self, session):
        await self.agent.close(Frame.of("session/close", {"sessionId": session}, id=0))

    async def ended(self, session):
        """Wait until a session has ended by itself."""
        if session in self.desk.live:
            await self.desk.live[session].ended.wait()

    async def pid(self, session):
        """The process of a session's rehearsal agent, which is part of its session id."""
        return int((await self.desk.info(session)).agent_session.rsplit("-", 1)[1])

    async def entries(self, session, *kinds):
        """What is on record, all of it or of some kinds."""
        found = [entry(record) async for record in self.desk.read(session)]
        return [item for item in found if not kinds or item.kind in kinds]

    async def recorded(self, session, kind):
        """Wait until something of that kind is on record."""
        while not await self.entries(session, kind):
            pass


@pytest.fixture
def opened_desk(tmp_path):
    """`async with opened_desk(client, engines={...}, limits={...}) as office`: a desk with rehearsal engines."""

    @asynccontextmanager
    async def opened(client, *, engines=None, engine="rehearsal", agent="", plugins=(), **settings):
        named = {name: {"command": [*REHEARSAL, *options]} for name, options in (engines or {}).items()}
        for name, more in settings.pop("engine_settings", {}).items():
            named.setdefault(name, {}).update(more)
        loaded = load_settings({**settings, "engines": named})
        registry = Registry(*plugins)
        async with open_desk(loaded, registry, engine=engine, agent=agent) as desk, desk.attach(client) as agent_side:
            yield Office(desk, agent_side, client, tmp_path)

    return opened


@pytest.fixture
def store():
    """For `opened_desk(client, plugins=[store], store="frail")`."""
    return FrailStore()


@pytest.fixture
def scripted():
    """`scripted(prompt="...")`: the settings of an engine that does as `scripted_agent.py` explains."""

    def engine(*arguments, **code):
        program = Path(__file__).with_name("scripted_agent.py")
        return {"command": [sys.executable, "-P", str(program), json.dumps(code), *arguments]}

    return engine
