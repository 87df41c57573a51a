"""Who is at a session sees what the sessions below it do: every update once, in order, and nobody waits for anybody."""

import json
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial

import anyio
import pytest

from kiro_core.errors import ObserverOnly
from kiro_core.frames import Frame
from kiro_core.notices import ALONE, UNATTENDED
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo

CHILDREN = 20
WORDS = 40
OPTIONS = [{"optionId": name, "name": name, "kind": "allow_once"} for name in ("yes", "no")]
WORKS = f"""
name = got['session/prompt']['prompt'][-1]['text']
for number in range({WORDS}):
    tell(name + ':' + str(number) + ' ')
if name.startswith('asks'):
    call = {{'toolCallId': name, 'title': name, 'kind': 'other'}}
    update(sessionUpdate='tool_call', **call)
    params = {{'sessionId': 's', 'toolCall': call, 'options': {OPTIONS!r}}}
    say(id='q', method='session/request_permission', params=params)
    tell('answered ' + json.dumps(json.loads(sys.stdin.readline())['result']['outcome']))
"""


class Stalled(RecordingClient):
    """A client that takes nothing of any session but one before it is told to."""

    def __init__(self, but):
        super().__init__()
        self.goes_on = anyio.Event()
        self._but = but

    async def notify(self, frames):
        if frames[0].session != self._but:
            await self.goes_on.wait()
        await super().notify(frames)


async def by_title(frame):
    """Answer each question in its own way, and the later ones first."""
    title = frame.params["toolCall"]["title"]
    for _ in range(10 if title.endswith("0") else 1):
        await anyio.lowlevel.checkpoint()
    return Frame.answer({"outcome": {"outcome": "selected", "optionId": "no" if title.endswith("7") else "yes"}})


@pytest.fixture
def desk(opened_desk, scripted):
    return partial(opened_desk, engine_settings={"x": scripted(prompt=WORKS)}, engine="x")


class Crew:
    """What spawns children at a desk: a client at which nobody sits."""

    def __init__(self, office, agent):
        self._office, self.agent = office, agent

    async def spawn(self, parent):
        params = {"cwd": str(self._office.cwd), "mcpServers": [], "_meta": {"kiro_core": {"parent": parent}}}
        return (await self.agent.new(Frame.of("session/new", params, id=0))).result["sessionId"]

    async def prompt(self, session, text):
        params = {"sessionId": session, "prompt": [{"type": "text", "text": text}]}
        turn = await self.agent.prompt(Frame.of("session/prompt", params, id=0))
        return await turn.settled()

    async def close(self, session):
        await self.agent.close(Frame.of("session/close", {"sessionId": session}, id=0))


@pytest.fixture
def crew():
    """`async with crew(office) as crew`: see `Crew`."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def opened(office):
        nobody = RecordingClient(PeerInfo("crew", abilities=frozenset({UNATTENDED})))
        async with office.desk.attach(nobody) as agent:
            yield Crew(office, agent)

    return opened


async def join(office, agent, session, **wishes):
    params = {"sessionId": session, "cwd": str(office.cwd), "mcpServers": [], "_meta": {"kiro_core": wishes}}
    await agent.open(Frame.of("session/resume", params, id=0), replay=False)


def words(client, session, name):
    """What of a child's words was shown, in order."""
    return [int(word.partition(":")[2]) for word in client.text(session).split() if word.startswith(f"{name}:")]


async def test_twenty_children_are_seen_whole_by_a_fast_client_and_a_stalled_one_stops_nobody(desk, crew):
    fast = RecordingClient(answer=by_title)
    with anyio.fail_after(120):
        async with AsyncExitStack() as stack:
            office = await stack.enter_async_context(desk(fast))
            children = await stack.enter_async_context(crew(office))
            parent = await office.start()
            stalled = Stalled(but=parent)
            await join(office, await stack.enter_async_context(office.desk.attach(stalled)), parent, role="observer")
            names = [f"{'asks' if number % 2 else 'works'}{number}" for number in range(CHILDREN)]
            sessions = {}

            async def work(name):
                sessions[name] = await children.spawn(parent)
                assert (await children.prompt(sessions[name], name)).result == {"stopReason": "end_turn"}

            async with anyio.create_task_group() as tasks:
                for name in names:
                    tasks.start_soon(work, name)
            for name, session in sessions.items():
                recorded = [e.frame.params["update"] for e in await office.entries(session, "update")]
                await fast.until(lambda c, s=session, r=recorded: len(shown(c, s)) >= len(r))
                assert words(fast, session, name) == list(range(WORDS))
                assert shown(fast, session) == recorded
                assert prompted(fast, session) == [name]
            asked = Counter(frame.params["toolCall"]["title"].rpartition(" ")[2] for frame in fast.questions)
            assert asked == Counter(name for name in names if name.startswith("asks"))
            for name in asked:
                outcome = json.loads(fast.text(sessions[name]).partition("answered ")[2])
                assert outcome["optionId"] == ("no" if name.endswith("7") else "yes")
            assert not stalled.updates()
            stalled.goes_on.set()
            for name, session in sessions.items():
                await stalled.until(lambda c, s=session: len(shown(c, s)) >= len(shown(fast, s)))
                assert words(stalled, session, name) == list(range(WORDS))
                assert shown(stalled, session) == shown(fast, session)


def shown(client, session):
    """The updates of an agent that were shown."""
    return [u for u in client.updates(session) if u["sessionUpdate"] in ("agent_message_chunk", "tool_call")]


def prompted(client, session):
    return [u["content"]["text"] for u in client.updates(session) if u["sessionUpdate"] == "user_message_chunk"]


async def test_the_tool_that_a_child_asks_about_is_shown_before_the_question(desk, crew):
    order = []

    class Ordered(RecordingClient):
        async def notify(self, frames):
            await anyio.lowlevel.checkpoint()
            order.extend(u["sessionUpdate"] for f in frames if "toolCallId" in (u := f.params.get("update", {})))
            await super().notify(frames)

        async def request(self, frame):
            order.append("question")
            return await super().request(frame)

    with anyio.fail_after(30):
        async with desk(Ordered()) as office, crew(office) as children:
            child = await children.spawn(await office.start())
            await children.prompt(child, "asks")
            assert order == ["tool_call", "question"]


async def test_who_joins_or_leaves_the_parent_joins_and_leaves_its_children_and_theirs(desk, crew):
    late = RecordingClient()
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as office, crew(office) as children:
            parent = await office.start()
            child = await children.spawn(parent)
            grandchild = await children.spawn(child)
            await children.prompt(grandchild, "before")
            async with office.desk.attach(late) as agent:
                await join(office, agent, parent)
                await children.prompt(grandchild, "during")
                await late.until(lambda c: len(words(c, grandchild, "during")) == WORDS)
                assert words(late, grandchild, "before") == []
                await agent.close(Frame.of("session/close", {"sessionId": parent}, id=0))
                await children.prompt(grandchild, "after")
                await office.client.until(lambda c: len(words(c, grandchild, "after")) == WORDS)
                assert words(late, grandchild, "after") == []


async def test_a_child_that_its_client_opened_itself_stays_when_it_leaves_the_parent(desk, crew):
    other = RecordingClient()
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as office, crew(office) as children:
            parent = await office.start()
            child = await children.spawn(parent)
            async with office.desk.attach(other) as agent:
                await join(office, agent, parent)
                with pytest.raises(ObserverOnly):
                    await agent.cancel(Frame.of("session/cancel", {"sessionId": child}))
                await join(office, agent, child)
                await agent.close(Frame.of("session/close", {"sessionId": parent}, id=0))
                await children.prompt(child, "works")
                await other.until(lambda c: len(words(c, child, "works")) == WORDS)
                await agent.cancel(Frame.of("session/cancel", {"sessionId": child}))


async def test_who_closes_a_child_that_it_only_follows_leaves_it_and_nobody_else_does(desk, crew):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as office, crew(office) as children:
            child = await children.spawn(await office.start())
            await office.close(child)
            await children.prompt(child, "works")
            assert not office.client.updates(child)
            assert (await office.desk.info(child)).id in office.desk.live


async def test_children_of_a_session_in_the_middle_that_ends_are_followed_on(desk, crew):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as office, crew(office) as children:
            child = await children.spawn(await office.start())
            grandchild = await children.spawn(child)
            await children.prompt(grandchild, "before")
            await children.close(child)
            await office.ended(child)
            await children.prompt(grandchild, "after")
            await office.client.until(lambda c: len(words(c, grandchild, "after")) == WORDS)
            assert words(office.client, grandchild, "before") == list(range(WORDS))


@pytest.mark.parametrize("ability", [UNATTENDED, ALONE])
async def test_a_client_that_is_not_to_follow_does_not(desk, crew, ability):
    client = RecordingClient(PeerInfo("script", abilities=frozenset({ability})))
    with anyio.fail_after(30):
        async with desk(client) as office, crew(office) as children:
            child = await children.spawn(await office.start())
            await children.prompt(child, "works")
            assert not office.client.updates(child)


async def test_who_follows_keeps_no_session_from_ending(desk, crew):
    with anyio.fail_after(30):
        async with desk(RecordingClient(), when_left="end") as office:
            parent = await office.start()
            async with crew(office) as children:
                child = await children.spawn(parent)
                assert [each["clients"] for each in office.desk.status()["sessions"]] == [1, 1]
            await office.ended(child)
            assert parent in office.desk.live


async def test_a_client_that_fails_at_a_child_is_not_let_in_again_and_keeps_the_parent(desk, crew):
    class Picky(RecordingClient):
        tried = 0

        async def notify(self, frames):
            if frames[0].session != parent:
                self.tried += 1
                raise RuntimeError
            await super().notify(frames)

    with anyio.fail_after(30):
        async with desk(Picky()) as office, crew(office) as children:
            parent = await office.start()
            child = await children.spawn(parent)
            await children.prompt(child, "works")
            await office.prompt(parent, "own")
            assert words(office.client, parent, "own") == list(range(WORDS))
            assert office.client.tried == 1
