"""A layer lasts as long as its session is open, over all agent programs that it has, and only its own time counts."""

from contextlib import asynccontextmanager

import anyio
import pytest
from scripted_layers import REHEARSAL, Doing, layers

from kiro_core import Frame, Provider, Registry, hookimpl
from kiro_core.catalog import Choice
from kiro_core.ports import PassingAgent, PassingLayer
from kiro_core.testing import RecordingClient

LIMIT_S = 0.5


class Counting(PassingLayer):
    """Counts what becomes of it."""

    def __init__(self):
        self.clients, self.agents, self.open = 0, 0, True

    def client(self, client):
        self.clients += 1
        return client

    def agent(self, agent):
        self.agents += 1
        return PassingAgent(agent)


@pytest.fixture
def counted():
    """The layers that were entered, in order, and what enters them."""
    entered = []

    @asynccontextmanager
    async def enter(session):
        entered.append(layer := Counting())
        try:
            yield layer
        finally:
            layer.open = False

    return entered, enter


async def test_a_program_that_is_started_again_gets_the_same_layer(opened_house, counted):
    entered, enter = counted
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_house(client, counting=enter) as house:
            session = await house.start()
            await house.prompt(session, "/die 3")
            await house.prompt(session, "/echo again")
            assert [(layer.clients, layer.agents, layer.open) for layer in entered] == [(2, 2, True)]
            await house.close(session)
            assert [layer.open for layer in entered] == [False]


async def test_another_program_gets_the_same_layer(opened_house, counted):
    entered, enter = counted
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_house(client, counting=enter, engines={"other": {"command": REHEARSAL}}.items()) as house:
            session = await house.start()
            await house.prompt(session, "/echo one")
            answer = await house.call("session/set_config_option", session, configId="engine", value="other")
            assert not answer.failed
            await house.prompt(session, "/echo two")
            assert client.text(session).endswith("two")
            assert [(layer.clients, layer.agents, layer.open) for layer in entered] == [(2, 2, True)]


async def test_each_opening_of_a_session_enters_it_anew(opened_house, counted):
    entered, enter = counted
    with anyio.fail_after(30):
        async with opened_house(RecordingClient(), counting=enter) as house:
            session, other = await house.start(), await house.start()
            await house.close(session)
            await house.load(session)
            assert [layer.open for layer in entered] == [False, True, True]
            await house.close(other)
        assert [layer.open for layer in entered] == [False, False, False]


async def test_a_person_may_take_longer_than_a_middleware(opened_house):
    answers = []

    async def slowly(frame):
        with anyio.move_on_after(2 * LIMIT_S):
            await anyio.sleep_forever()
        return Frame.answer({"outcome": {"outcome": "selected", "optionId": frame.params["options"][0]["optionId"]}})

    async def request(client, frame):
        answers.append(answer := await client.request(frame))
        return answer

    client = RecordingClient(answer=slowly)
    settings = {"limits": {"middleware_s": LIMIT_S}}
    both = {name: layers(lambda _: Doing(None, request)) for name in ("near", "far")}
    with anyio.fail_after(30):
        async with opened_house(client, settings=settings, **both) as house:
            session = await house.start()
            await house.prompt(session, "/permission delete it")
            assert "Permission: allow_once" in client.text(session)
            assert len(answers) == 2


async def test_an_agent_may_take_longer_than_a_middleware(opened_house):
    async def settled(turn):
        with anyio.move_on_after(LIMIT_S / 5):  # its own time goes on where it was, and is not over yet
            await anyio.sleep_forever()
        response = await turn.settled()
        with anyio.move_on_after(LIMIT_S / 5):
            await anyio.sleep_forever()
        return response

    client = RecordingClient()
    settings = {"limits": {"middleware_s": LIMIT_S}}
    with anyio.fail_after(30):
        async with opened_house(client, settings=settings, slow=layers(lambda _: Doing(settled=settled))) as house:
            session = await house.start()
            assert (await house.prompt(session, f"/sleep {2 * LIMIT_S}")).result["stopReason"] == "end_turn"


async def test_what_is_late_behind_an_answer_is_late(opened_house):
    async def settled(turn):
        await turn.settled()
        await anyio.sleep_forever()

    settings = {"limits": {"middleware_s": LIMIT_S}}
    with anyio.fail_after(30):
        async with opened_house(
            RecordingClient(), settings=settings, slow=layers(lambda _: Doing(settled=settled))
        ) as house:
            outcome = await house.prompt(await house.start(), "/echo hello")
            assert outcome.error["data"]["seam"] == "turn.settled"


async def test_a_layer_may_speak_by_itself(opened_house):
    """As one that holds back does: what it says from a task of its own is recorded and shown like the agent's words."""
    speaks = anyio.Event()

    class Speaking(PassingLayer):
        def client(self, client):
            self.whose = client
            return client

    @asynccontextmanager
    async def enter(session):
        layer = Speaking()

        async def speak():
            await speaks.wait()
            words = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "by myself"}}
            await layer.whose.notify([Frame.of("session/update", {"sessionId": "s", "update": words})])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(speak)
            yield layer
            tasks.cancel_scope.cancel()

    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_house(client, speaking=enter) as house:
            session = await house.start()
            speaks.set()
            await client.until(lambda seen: "by myself" in seen.text())
            assert "by myself" in str([item.value for item in await house.entries(session, "update")])


class Wiretap:
    """The transport `acp`, of which is kept whom it was given and what it gave."""

    def __init__(self):
        self.given = []

    @hookimpl
    def kiro_transports(self):
        yield Provider("tapped", self._opened)

    @asynccontextmanager
    async def _opened(self, _):
        async with Registry().transports.open(Choice("acp")) as self._acp:
            yield self

    @asynccontextmanager
    async def connect(self, process, client, timeout_s):
        async with self._acp.connect(process, client, timeout_s) as agent:
            self.given.append((client, agent))
            yield agent


@pytest.mark.parametrize("chosen", [False, True])
async def test_without_middlewares_nothing_stands_in_the_way(opened_house, chosen):
    tap, engines = Wiretap(), {"rehearsal": {"command": REHEARSAL, "transport": "tapped"}}
    idle = {"idle": layers(lambda _: PassingLayer())} if chosen else {}
    with anyio.fail_after(30):
        async with opened_house(RecordingClient(), engines=engines.items(), plugins=[tap], **idle) as house:
            live = house.desk.live[await house.start()]
            ((client, agent),) = tap.given
            assert client is live.listener, "a layer that passes its client on costs nothing there either"
            assert (live.agent is agent) == (not chosen)
            assert live.journal.filters == chosen
