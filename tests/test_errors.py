"""Each error code is documented, and can be provoked where a user would meet it."""

import json
import re
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from kiro_core import Provider, Registry, errors, hookimpl, load_settings, open_desk
from kiro_core.catalog import Choice
from kiro_core.cli.mcp.testing import try_all
from kiro_core.errors import KiroError
from kiro_core.frames import Frame
from kiro_core.mcp_servers import SessionServer
from kiro_core.rpc import Peer, failure
from kiro_core.testing import RecordingClient
from kiro_core.testing.store_samples import session
from kiro_core.types import INBOX_MESSAGES, AgentConfig, Command, SessionId

DOCUMENT = Path(__file__).parents[1] / "docs" / "errors.md"
REHEARSAL = [sys.executable, "-P", "-m", "kiro_core.rehearsal"]
SCRIPTED = [sys.executable, "-P", str(Path(__file__).parent / "desk" / "scripted_agent.py")]
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def documented():
    rows = re.findall(r"^\| `([A-Z_]+)` \| ([^|]+) \|", DOCUMENT.read_text(), re.MULTILINE)
    return {code: number.strip() for code, number in rows}


def declared():
    classes = [error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, KiroError)]
    return {error.code: error for error in classes if error is not KiroError}


class Desk:
    """A desk whose engines do as they are told."""

    def __init__(self, folder, *plugins, **settings):
        self.folder, self.client = folder, RecordingClient()
        engines = {"x": {"command": [*REHEARSAL]}, **settings.pop("engines", {})}
        loaded = load_settings({"engine": "x", "engines": engines, **settings})
        self._opening = open_desk(loaded, Registry(*plugins))

    async def __aenter__(self):
        self.desk = await self._opening.__aenter__()
        self._attached = self.desk.attach(self.client)
        self.agent = await self._attached.__aenter__()
        return self

    async def __aexit__(self, *failed):
        await self._attached.__aexit__(*failed)
        await self._opening.__aexit__(*failed)

    async def new(self, **wishes):
        params = {"cwd": str(self.folder), "mcpServers": [], "_meta": {"kiro_core": wishes}}
        return (await self.agent.new(Frame.of("session/new", params, id=0))).result["sessionId"]

    async def ask(self, session, *blocks, **wishes):
        params = {"sessionId": session, "prompt": list(blocks), "_meta": {"kiro_core": wishes}}
        return await self.agent.prompt(Frame.of("session/prompt", params, id=0))

    async def call(self, method, session, **params):
        return await self.agent.call(Frame.of(method, {"sessionId": session, **params}, id=0))


def text(words):
    return {"type": "text", "text": words}


def scripted(**code):
    return {"command": [*SCRIPTED, json.dumps(code)]}


async def settings_invalid(_):
    load_settings({"limits": {"start_s": "soon"}})


async def plugin_invalid(_):
    class Broken:
        @hookimpl
        def kiro_stores(self):
            yield "not a provider"

    Registry(Broken(), strict=True)


async def name_unknown(folder):
    async with Desk(folder) as desk:
        await desk.new(engine="reharsal")


async def agent_not_found(folder):
    async with Desk(folder) as desk:
        await desk.new(agent="nobody", agentRequired=True)


async def agent_config_invalid(folder):
    (folder / ".kiro" / "agents").mkdir(parents=True)
    (folder / ".kiro" / "agents" / "broken.json").write_text("{")
    registry = Registry()
    async with registry.agents.open(Choice("kiro")) as source:
        await source.find("broken", folder)


async def crew_refused(folder):
    async with Desk(folder) as desk:
        session = await desk.new()
        await desk.desk.crew.send(session, session, "hello")


async def crew_invalid(folder):
    async with Desk(folder) as desk:
        await desk.desk.crew.run({"name": "x", "stages": []}, cwd=folder)


async def agent_untrusted(folder):
    agents = folder / ".kiro" / "agents"
    agents.mkdir(parents=True)
    (agents / "review.json").write_text('{"hooks": {"stop": [{"command": "true"}]}}')
    async with Desk(folder) as desk:
        await desk.new(agent="review", agentRequired=True)


async def engine_unguarded(folder):
    (folder / "home" / ".kiro" / "agents").mkdir(parents=True)
    rules = {"name": "strict", "excludedTools": ["shell"]}
    (folder / "home" / ".kiro" / "agents" / "strict.json").write_text(json.dumps(rules))
    async with Desk(folder, engines={"x": {"command": REHEARSAL, "asks": False}}) as desk:
        await desk.new(agent="strict")


async def engine_not_found(folder):
    async with Desk(folder, engines={"x": {"command": ["/nowhere/agent"]}}) as desk:
        await desk.new()


async def launch_failed(folder):
    async with Desk(folder, engines={"x": {"command": ["/bin/sh", "-c", "exit 3"]}}) as desk:
        await desk.new()


async def agent_gone(folder):
    async with Desk(folder) as desk:
        turn = await desk.ask(await desk.new(), text("/die 3"))
        return await turn.settled()


async def agent_timeout(folder):
    engines = {"x": scripted(opened="time.sleep(1000)")}
    async with Desk(folder, engines=engines, limits={"control_s": 0.2, "close_s": 0.5}) as desk:
        await desk.call("_x/ask", await desk.new())


async def agent_unable(folder):
    async with Desk(folder, engines={"x": scripted()}) as desk:
        await desk.ask(await desk.new(), {"type": "image", "mimeType": "image/png", "data": ""})


async def auth_required(folder):
    async with Desk(folder, engines={"x": scripted(new="refuse(-32000, 'log in')")}) as desk:
        await desk.new()


async def mode_unguarded(folder):
    async def deny(_):
        return Frame.answer({"outcome": {"outcome": "selected", "optionId": "no"}})

    modes = "{'currentModeId': 'a', 'availableModes': [{'id': 'a', 'name': 'a'}, {'id': 'wild', 'name': 'wild'}]}"
    engine = {**scripted(new=f"answers['session/new']['modes'] = {modes}"), "unguarded": ["wild"]}
    desk = Desk(folder, engines={"x": engine})
    desk.client = RecordingClient(answer=deny)
    async with desk:
        await desk.call("session/set_mode", await desk.new(), modeId="wild")


class Middlewares:
    """A plugin whose one middleware raises this as soon as it is entered."""

    def __init__(self, error):
        self._error = error

    @hookimpl
    def kiro_middlewares(self):
        @asynccontextmanager
        async def opened(_):
            yield self

        yield Provider("strict", opened)

    def enter(self, session):
        raise self._error


async def middleware_failed(folder):
    async with Desk(folder, Middlewares(ValueError()), middlewares=["strict"]) as desk:
        await desk.new()


async def vetoed(folder):
    async with Desk(folder, Middlewares(errors.Vetoed("Not today.")), middlewares=["strict"]) as desk:
        await desk.new()


async def mcp_failed(folder):
    entry = {"name": "gone", "command": str(folder / "gone"), "args": [], "env": []}
    await try_all((load_settings(), Registry()), [SessionServer("gone", "mcp.json", entry)], folder)


async def ending_failed(folder):
    async with Registry(only={"local"}).launchers.open(Choice("local", {"grace_s": 0})) as launcher:
        with pytest.MonkeyPatch.context() as immortal:
            immortal.setattr("kiro_local.process.signal_group", lambda *_: None)
            immortal.setattr("kiro_local.process.KILL_S", 0.05)
            try:
                async with launcher.launch(Command(["sleep", "600"], str(folder))) as process:
                    immortal.setattr("kiro_local.sweeping._signalled", lambda *_: False)
                    immortal.setattr("kiro_local.sweeping.LIMIT_S", 0.05)
            finally:
                process._child.popen.kill()
                process._child.popen.wait(30)


async def observer_only(folder):
    async with Desk(folder) as desk, desk.desk.attach(RecordingClient()) as watching:
        session = await desk.new()
        params = {"sessionId": session, "cwd": str(folder), "mcpServers": []}
        role = {"_meta": {"kiro_core": {"role": "observer"}}}
        await watching.open(Frame.of("session/resume", {**params, **role}, id=0), replay=False)
        prompt = {"sessionId": session, "prompt": [{"type": "text", "text": "hello"}]}
        await watching.prompt(Frame.of("session/prompt", prompt, id=0))


async def session_not_found(folder):
    async with Desk(folder) as desk:
        await desk.ask(UNKNOWN, text("hello"))


async def session_busy(folder):
    async with Desk(folder) as desk:
        session = await desk.new()
        await desk.ask(session, text("/echo begun\n/sleep 600"))
        await desk.client.until(lambda c: "begun" in c.text(session))
        await desk.ask(session, text("me too"), whenBusy="reject")


async def inbox_full(folder):
    info = session()
    async with Registry(only={"files"}).stores.open(Choice("files", {"root": str(folder / "sessions")})) as store:
        async with store.create(info):
            pass
        for number in range(INBOX_MESSAGES + 1):
            await store.put(info.id, str(number), b"{}")


async def session_closing(folder):
    async with Desk(folder) as desk:
        inner = desk.desk
        await inner.close()
        await desk.new()


async def session_held(folder):
    async with Desk(folder) as first, Desk(folder) as second:
        session = await first.new()
        params = {"sessionId": session, "cwd": str(folder), "mcpServers": []}
        await second.agent.open(Frame.of("session/load", params, id=0), replay=True)


async def session_fenced(folder):
    async with Desk(folder) as desk:
        session = await desk.new()
        lock = next((folder / "home").rglob(f"{session}.lock"))
        lock.rename(lock.with_suffix(".gone"))
        turn = await desk.ask(session, text("hello"))
        return await turn.settled()


async def store_unavailable(folder):
    blocked = folder / "a file"
    blocked.touch()
    async with Desk(folder, store={"use": "files", "root": str(blocked / "sessions")}) as desk:
        await desk.new()


async def record_invalid(folder):
    async with Desk(folder) as desk:
        session = await desk.new()
        await desk.agent.close(Frame.of("session/close", {"sessionId": session}, id=0))
        next((folder / "home").rglob(f"{session}.json")).write_text("{}")
        await desk.desk.info(SessionId(session))


async def archive_invalid(folder):
    async def chunks():
        yield b"no archive"

    async with Desk(folder) as desk:
        await desk.desk.import_session(chunks())


async def label_invalid(folder):
    async with Desk(folder) as desk:
        await desk.desk.relabel(SessionId(await desk.new()), tags=["not a\ntag"])


async def name_taken(folder):
    async with Desk(folder) as desk:
        await desk.desk.relabel(SessionId(await desk.new()), name="mine")
        await desk.desk.relabel(SessionId(await desk.new()), name="mine")


async def desk_full(folder):
    async with Desk(folder, limits={"max_sessions": 1}) as desk:
        await desk.new()
        await desk.new()


async def disconnected(_):
    class Closed:
        async def receive(self, max_bytes=65536):
            raise anyio.EndOfStream

        async def send(self, item):
            raise anyio.BrokenResourceError

    peer = Peer(Closed(), RecordingClient())
    await peer.run()
    await peer.call(Frame.of("x", {}, id=0))


async def rpc_error(folder):
    async with Desk(folder) as desk:
        await desk.agent.call(Frame.of("_nobody/knows", {}, id=0))


async def internal(folder):
    class Team:
        async def find(self, name, cwd):
            return AgentConfig(name) if name == "fine" else 1 / 0

        async def names(self, cwd):
            return []

        async def problems(self, cwd):
            return []

    class Plugin:
        @hookimpl
        def kiro_agents(self):
            @asynccontextmanager
            async def opened(_):
                yield Team()

            yield Provider("team", opened)

    async with Desk(folder, Plugin(), agent_sources=["team"]) as desk:
        await desk.new(agent="broken")


PROVOKED = {
    name.upper(): function
    for name, function in list(globals().items())
    if name.upper() in {*documented(), "INTERNAL"} and callable(function)
}


def test_every_code_is_documented_with_its_number():
    table = documented()
    for code, error in declared().items():
        assert table[code] == ("its own" if code == "RPC_ERROR" else str(error.rpc)), code
    assert table.keys() == declared().keys() | {"INTERNAL"}


def test_every_code_is_provoked_here():
    assert PROVOKED.keys() == documented().keys()


@pytest.mark.parametrize("code", sorted(PROVOKED))
async def test_a_code_comes_with_a_sentence(code, tmp_path):
    with anyio.fail_after(30):
        try:
            response = await PROVOKED[code](tmp_path)
        except Exception as error:  # noqa: BLE001 - whatever a face would be given
            response = failure(error)
    told = response.error
    assert told["message"]
    if code == "RPC_ERROR":
        assert told["code"] == -32601
    else:
        assert told["data"]["code"] == code
        assert str(told["code"]) == documented()[code]
