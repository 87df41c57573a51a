"""Whatever clients do at random, each has seen exactly what is on record: over real sockets, with real agents."""

import os
import sys
from collections import Counter
from contextlib import ExitStack, asynccontextmanager, suppress
from itertools import count

import anyio
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from kiro_core.control import reach
from kiro_core.dispatcher import open_desk
from kiro_core.errors import Disconnected
from kiro_core.frames import Frame
from kiro_core.journal import conversation, entry
from kiro_core.registry import Registry
from kiro_core.session.clients import member
from kiro_core.settings import kiro_home, load_settings
from kiro_core.types import PeerInfo

CLIENTS, SESSIONS = 5, 3
REHEARSAL = [sys.executable, "-P", "-m", "kiro_core.rehearsal"]
ONE_OF_SESSIONS, ONE_OF_CLIENTS = st.integers(0, SESSIONS - 1), st.integers(0, CLIENTS - 1)


def folded(updates, wrote):
    """What a client makes of updates: the agent's words, and what others said, in order; its own prompts left out."""
    said = []
    for update in updates:
        kind, text = update["sessionUpdate"], (update.get("content") or {}).get("text")
        if text is None or text.startswith(wrote):
            continue
        if kind == "agent_message_chunk" and said and said[-1][0] == kind:
            said[-1] = (kind, said[-1][1] + text)
        elif kind in ("agent_message_chunk", "user_message_chunk"):
            said.append((kind, text))
    return said


class Window:
    """A client in another process, as far as the desk can tell: all it knows of sessions came over its connection."""

    def __init__(self, number):
        self.name = f"/echo c{number}-"
        self.info = PeerInfo(f"window {number}", abilities=frozenset({"notices", "cursor"}))
        self.updates, self.cursors, self.questions = {}, {}, []
        self.answers = False
        self.gate = anyio.Event()
        self.gate.set()
        self.shown = anyio.Event()
        self.other = self.leaving = self.left = None

    async def until_shown(self, session, expected):
        """What it makes of the session in the end; what was written to its socket may not have arrived yet."""
        while folded(self.updates[session], self.name) != expected:
            await self.shown.wait()

    async def notify(self, frames):
        await self.gate.wait()
        for frame in frames:
            if frame.method == "_kiro_core/cursor":
                self.cursors[frame.session] = frame.params.get("seq", self.cursors.get(frame.session, 0))
            elif "update" in frame.params:
                self.updates.setdefault(frame.session, []).append(frame.params["update"])
        self.shown.set()
        self.shown = anyio.Event()

    async def request(self, frame):
        answered = anyio.Event()
        self.questions.append(answered)
        try:
            if not self.answers:
                await answered.wait()
        finally:
            self.questions.remove(answered)
        return Frame.answer({"outcome": {"outcome": "selected", "optionId": "once"}})

    def let_go(self):
        """Take what there is, and answer all that is asked, from now on at once."""
        self.gate.set()
        self.answers = True
        for answered in self.questions:
            answered.set()


class Floor:
    """The desk, three sessions, and five windows."""

    def __init__(self):
        self.windows = [Window(number) for number in range(CLIENTS)]
        self.sessions = []
        self.numbers = count(1)
        self.unsettled = Counter()

    @asynccontextmanager
    async def opened(self, folder):
        loaded = load_settings({"engines": {"x": {"command": REHEARSAL}}})
        self.params = {"cwd": str(folder), "mcpServers": []}
        async with (
            open_desk(loaded, Registry(), engine="x", face="serve") as self.desk,
            anyio.create_task_group() as self.tasks,
        ):
            (self.path,) = (kiro_home(os.environ) / "run" / "desks").glob(f"{os.getpid()}-*.sock")
            await self.connect(0)
            for _ in range(SESSIONS):
                answer = await self.windows[0].other.agent.new(Frame.of("session/new", self.params, id=0))
                self.sessions.append(answer.result["sessionId"])
                self.windows[0].updates.setdefault(self.sessions[-1], [])
            yield
            self.tasks.cancel_scope.cancel()

    async def connect(self, number):
        """Come, or come back: with a cursor where the window has seen a session before."""
        window = self.windows[number]
        window.leaving, window.left = anyio.Event(), anyio.Event()
        window.other = await self.tasks.start(self._connection, window)
        for session in list(window.updates):
            await self._join(window, session, after=window.cursors.get(session, 0))

    async def disconnect(self, number):
        window = self.windows[number]
        window.other = None
        window.leaving.set()
        window.gate.set()
        await window.left.wait()
        # What it had sent is known to the desk when it is nobody's client there.
        for session in self.sessions:
            while self.members(session, window):
                await self.desk.live[session].clients.changed.wait()

    async def _connection(self, window, *, task_status):
        async with reach(self.path, window) as other:
            task_status.started(other)
            await window.leaving.wait()
        window.left.set()

    def members(self, session, window):
        """What the desk has the window as at a session; nothing where it is not."""
        return [each for each in self.desk.live[session].clients.members if each.client.info.name == window.info.name]

    def is_quiet(self, session):
        """Whether no prompt of it is on its way, waits or runs."""
        return not self.unsettled[session] and not self.desk.live[session].turns.open

    async def join(self, number, session):
        window, session = self.windows[number], self.sessions[session]
        if session in window.updates:
            # What is on its way to a window could not be told from what it is shown again.
            if not self.is_quiet(session):
                return
            await self._arrived(window, session)
        window.updates[session] = []
        await self._join(window, session)

    async def _arrived(self, window, session):
        """Wait until all that the desk has to show has reached the window: it comes before the answer."""
        for mine in self.members(session, window):
            await mine.flushed()
        await window.other.status()

    async def _join(self, window, session, **wishes):
        params = {**self.params, "sessionId": session, "_meta": {"kiro_core": wishes}}
        answer = await window.other.agent.open(Frame.of("session/load", params, id=0), replay=True)
        assert not answer.failed

    async def prompt(self, number, session, *, asks):
        window = self.windows[number]
        lines = f"{window.name}{next(self.numbers)};" + ("\n/permission go" if asks else "")
        params = {"sessionId": self.sessions[session], "prompt": [{"type": "text", "text": lines}]}
        turn = await window.other.agent.prompt(Frame.of("session/prompt", params, id=0))
        self.unsettled[self.sessions[session]] += 1
        self.tasks.start_soon(self._until_settled, self.sessions[session], turn)

    async def _until_settled(self, session, turn):
        with suppress(Disconnected):
            await turn.settled()
        self.unsettled[session] -= 1

    async def settle(self):
        """Let everybody take what there is, answer all that is asked, and wait for every turn."""
        for window in self.windows:
            window.let_go()
        # A question may have been left to nobody.
        if self.windows[0].other is None:
            await self.connect(0)
        while not all(map(self.is_quiet, self.sessions)):
            await anyio.wait_all_tasks_blocked()
        for session in self.sessions:
            for each in self.desk.live[session].clients.members:
                await each.flushed()

    async def check(self):
        for session in self.sessions:
            head = self.desk.live[session].db.head
            said = [f.params["update"] async for f in conversation(self.desk.read(session), session, head)]
            for window in self.windows:
                if window.other is not None and session in window.updates:
                    await window.until_shown(session, folded(said, window.name))
            items = [entry(record) async for record in self.desk.read(session)]
            asked, answers = ([item for item in items if item.kind == kind] for kind in ("question", "answer"))
            assert len(asked) == len(answers), "every question was answered once"


class Sharing(RuleBasedStateMachine):
    """Connects, disconnects, prompts, answers and stalls."""

    folder = None

    def __init__(self):
        super().__init__()
        self._stack = ExitStack()
        self._portal = self._stack.enter_context(start_blocking_portal("asyncio"))
        self._floor = Floor()
        self._stack.enter_context(self._portal.wrap_async_context_manager(self._floor.opened(self.folder)))

    def _do(self, work, *arguments, **more):
        async def bounded():
            with anyio.fail_after(60):
                return await work(*arguments, **more)

        return self._portal.call(bounded)

    def _there(self, number):
        return self._floor.windows[number].other is not None

    @rule(number=ONE_OF_CLIENTS)
    def come_or_go(self, number):
        self._do(self._floor.disconnect if self._there(number) else self._floor.connect, number)

    @rule(number=ONE_OF_CLIENTS, session=ONE_OF_SESSIONS)
    def join(self, number, session):
        if self._there(number) and self._floor.windows[number].gate.is_set():
            self._do(self._floor.join, number, session)

    @rule(number=ONE_OF_CLIENTS, session=ONE_OF_SESSIONS, asks=st.booleans())
    def prompt(self, number, session, asks):
        window = self._floor.windows[number]
        if self._there(number) and self._floor.sessions[session] in window.updates:
            self._do(self._floor.prompt, number, session, asks=asks)

    @rule(number=ONE_OF_CLIENTS)
    def answer(self, number):
        for answered in self._floor.windows[number].questions[:1]:
            self._portal.call(answered.set)

    @rule(number=ONE_OF_CLIENTS)
    def stall(self, number):
        if self._there(number) and self._floor.windows[number].gate.is_set():
            self._floor.windows[number].gate = anyio.Event()

    @rule(number=ONE_OF_CLIENTS)
    def go_on(self, number):
        self._portal.call(self._floor.windows[number].gate.set)

    def teardown(self):
        try:
            self._do(self._floor.settle)
            self._do(self._floor.check)
        finally:
            self._stack.close()


def test_whatever_clients_do_each_has_seen_exactly_what_is_on_record(tmp_path, monkeypatch):
    # So little that a client which stalls falls behind after a turn or two.
    monkeypatch.setattr(member, "_WAITING_BYTES", 600)
    machine = type("Machine", (Sharing,), {"folder": tmp_path})
    examples = int(os.environ.get("FUZZ_EXAMPLES", "4"))
    checks = settings(
        max_examples=examples,
        stateful_step_count=30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        # A smaller example costs another desk with its agents each.
        phases=[Phase.generate],
    )
    run_state_machine_as_test(machine, settings=checks)
