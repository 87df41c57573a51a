"""A session's services with a real launcher, real files and a client that keeps what it sees."""

import sys
from contextlib import asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace

import anyio
import pytest

from kiro_core.errors import RpcError, unwrapped
from kiro_core.frames import Frame
from kiro_core.journal import Journal, entry
from kiro_core.policy import compile_policy
from kiro_core.session.clients import Clients
from kiro_core.session.fronting import Front
from kiro_core.session.guarding import Guard
from kiro_core.session.hooking import Hooking
from kiro_core.session.noticing import Calls
from kiro_core.session.plan import Plan, Tools
from kiro_core.session.questions import Questions
from kiro_core.session.services import opened_services
from kiro_core.settings import Limits
from kiro_core.testing import RecordingClient
from kiro_core.types import AgentConfig, Engine, PeerInfo, Record, SessionId, SessionInfo
from kiro_local import kiro_launchers

OURS, THEIRS = "ours", "theirs"


class Log:
    """A `SessionDb` in memory."""

    def __init__(self):
        self.bodies = []

    @property
    def head(self):
        return len(self.bodies)

    async def append(self, batch, *, consume=()):
        self.bodies += batch
        return self.head

    async def commit(self):
        pass


class Room:
    """Implements `Served`, and has the requests of an agent as short calls."""

    running_turn = ""
    ready = True

    def __init__(self, cwd, client, launcher, *, roots, limits, tasks):
        info = SessionInfo(SessionId(OURS), str(cwd), "", "", roots=tuple(map(str, roots)))
        engine = Engine("scripted", (sys.executable,))
        config = AgentConfig("any", fields={"name": "any"})
        # Reading inside the folder needs no question otherwise.
        policy = compile_policy(config, cwd=str(cwd), roots=info.roots, trust_tools=[])
        self.plan = Plan(info, engine, config, Frame.of("session/new", {}, id=0), policy)
        self.tools = Tools(store=None, launcher=launcher, wire=None, limits=Limits(**limits))
        self.log = Log()
        self.journal = Journal(self.log)
        self.notices = []
        self.clients = Clients(self, info.id)
        self.questions = Questions(self.journal, self.clients, self.tell, self.tools.limits.question_s, waits=False)
        self.front, self.hooking, self.guard, self.calls = Front(), Hooking(self), Guard(self), Calls(self)
        self._tasks = tasks
        if client is not None:
            self.join(client)
        self.metadata = SimpleNamespace(info=info)
        self.client = client
        self.cwd = cwd
        self.services = None

    async def tell(self, notice):
        self.notices.append(notice)

    async def note(self, **changes):
        self.metadata.info = replace(self.metadata.info, **changes)

    def asker(self):
        return self

    @property
    def desk(self):
        return self

    def ancestors(self, _):
        return ()

    def for_client(self, frame):
        return frame.with_session(OURS)

    def stir(self):
        pass

    def came(self, client):
        pass

    def went(self, client):
        pass

    def join(self, client):
        self._tasks.start_soon(self.clients.join(client).run)

    async def show(self, frames):
        self.clients.publish(0, [self.for_client(frame) for frame in frames])
        for member in self.clients.members:
            await member.flushed()

    async def ask(self, method, **params):
        """The result of a request, or an `RpcError`."""
        response = await self.services.request(Frame.of(method, {"sessionId": THEIRS, **params}, id=7))
        assert not response.failed
        return response.result

    async def refused(self, method, **params):
        """The number and the sentence with which a request is refused."""
        with pytest.raises(RpcError) as caught:
            await self.ask(method, **params)
        return caught.value.number, str(caught.value)

    async def say(self, **update):
        """Say something as the agent, recorded and shown as a session does it."""
        frame = Frame.of("session/update", {"sessionId": THEIRS, "update": update})
        await self.journal.updates([frame])
        await self.show(self.services.shown([frame]))

    def entries(self, *kinds):
        """What is on record of some kinds, or all but the decisions of the policy."""
        found = [entry(Record(1, 1, body)) for body in self.log.bodies]
        return [item for item in found if (item.kind in kinds if kinds else item.kind != "decision")]

    async def records(self, after=0):
        """The record, as a store reads it."""
        for seq, body in enumerate(list(self.log.bodies), 1):
            if seq > after:
                yield Record(seq, 1, body)


@asynccontextmanager
async def room(cwd, client, roots=(), grace_s=5.0, **limits):
    """The services of a session in `cwd`, open."""
    (provider,) = kiro_launchers()
    with anyio.fail_after(30), unwrapped():
        async with provider.open(provider.options(grace_s=grace_s)) as launcher, anyio.create_task_group() as tasks:
            it = Room(cwd, client, launcher, roots=roots, limits=limits, tasks=tasks)
            await anyio.wait_all_tasks_blocked()
            async with opened_services(it) as it.services:
                yield it
            it.clients.end()


@pytest.fixture
def opened(tmp_path):
    """`async with opened(client) as room`: services in the folder `w` of the test's own."""
    (tmp_path / "w").mkdir()

    def open_(client=None, cwd=None, **more):
        return room(cwd or tmp_path / "w", client, **more)

    return open_


@pytest.fixture
def w(tmp_path):
    return tmp_path / "w"


@pytest.fixture
def able():
    """`able("read", answer=...)`: a client with these abilities."""

    def client(*abilities, **more):
        return RecordingClient(PeerInfo("client", abilities=frozenset(abilities)), **more)

    return client


@pytest.fixture
def choosing():
    """`choosing("allow_always")`: a client that chooses that option of every question."""

    def client(kind, *abilities):
        async def answer(frame):
            return Frame.answer({"outcome": {"outcome": "selected", "optionId": kind}})

        return RecordingClient(PeerInfo("client", abilities=frozenset(abilities)), answer)

    return client


def python(code):
    """The params of a `terminal/create` that runs it."""
    return {"command": sys.executable, "args": ["-c", code]}


def statuses(client):
    """What the client was shown of tool calls, as (title of the question, status)."""
    titles = {q.params["toolCall"]["toolCallId"]: q.params["toolCall"]["title"] for q in client.questions}
    return [(titles[u["toolCallId"]], u["status"]) for u in client.updates() if u.get("toolCallId") in titles]


@pytest.fixture(name="python")
def _python():
    return python


@pytest.fixture(name="statuses")
def _statuses():
    return statuses
