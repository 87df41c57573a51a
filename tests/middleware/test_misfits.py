"""Middlewares that are none, that give up, that keep a session shut, and what they leave behind."""

from contextlib import asynccontextmanager

import anyio
import pytest
from scripted_layers import Doing, layers
from wrongs import LEFT_OPEN, LIMIT_S, leaks_a_scope, works

from kiro_core.errors import MiddlewareFailed, Vetoed
from kiro_core.ports import PassingAgent, PassingLayer


async def test_a_middleware_that_gives_up_by_itself_ends_its_session(beside):
    gives_up = anyio.Event()

    @asynccontextmanager
    async def enter(session):
        async def work():
            await gives_up.wait()
            raise ValueError("plum")

        async with anyio.create_task_group() as tasks:
            if session.name == "bad":
                tasks.start_soon(work)
            yield PassingLayer()
            tasks.cancel_scope.cancel()

    async with beside(enter) as (house, _):
        session = await house.start("bad")
        await works(house, session)
        gives_up.set()
        await house.ended(session)
        (closed,) = await house.entries(session, "closed")
        assert closed.value == {"reason": "The middleware 'broken' failed at its own work: ValueError."}


class Forgetful(PassingLayer):
    """Forgets to give something back, at the place that is named."""

    def __init__(self, place):
        self._place = place

    def client(self, client):
        return None if self._place == "client" else client

    def agent(self, agent):
        if self._place == "agent":
            return None
        return _ForgetfulAgent(agent) if self._place == "agent.call" else agent


class _ForgetfulAgent(PassingAgent):
    async def call(self, frame):
        await self.agent.call(frame)


@pytest.mark.parametrize("place", ["client", "agent"])
async def test_one_that_gives_nothing_keeps_its_session_from_opening(beside, place):
    async with beside(layers(lambda _: Forgetful(place), only="bad")) as (house, fine):
        with pytest.raises(MiddlewareFailed) as caught:
            await house.start("bad")
        belongs = {"client": "a Client", "agent": "an Agent"}[place]
        assert str(caught.value) == f"The middleware 'broken' gave a NoneType at {place}, where {belongs} belongs."
        assert list(house.desk.live) == [fine]


async def test_one_that_forgets_an_answer_is_told_so(beside):
    async with beside(layers(lambda _: Forgetful("agent.call"), only="bad")) as (house, _):
        session = await house.start("bad")
        with pytest.raises(MiddlewareFailed) as caught:
            await house.call("_x/y", session)
        sentence = "The middleware 'broken' gave a NoneType at agent.call, where a Frame belongs."
        assert str(caught.value) == sentence
        await works(house, session)


async def test_a_middleware_that_is_no_layer_is_told_so(beside):
    async with beside(layers(lambda _: object(), only="bad")) as (house, _):
        with pytest.raises(MiddlewareFailed) as caught:
            await house.start("bad")
        lacks = "a Layer with agent and client and record belongs"
        assert str(caught.value) == f"The middleware 'broken' gave a object at enter, where {lacks}."


async def test_a_veto_at_the_door_keeps_a_session_from_opening(beside):
    @asynccontextmanager
    async def enter(session):
        if session.name == "bad":
            raise Vetoed("Not today.", hint="Come back tomorrow.")
        yield PassingLayer()

    async with beside(enter) as (house, fine):
        with pytest.raises(Vetoed) as caught:
            await house.start("bad")
        assert (str(caught.value), caught.value.hint) == ("Not today.", "Come back tomorrow.")
        assert list(house.desk.live) == [fine]


async def test_a_cancel_gets_past_a_middleware_that_does_not_pass_it_on(beside):
    class Deaf(PassingAgent):
        async def cancel(self, frame):
            raise ValueError("plum")

    class Layer(PassingLayer):
        def agent(self, agent):
            return Deaf(agent)

    async with beside(layers(lambda _: Layer(), only="bad")) as (house, _):
        session = await house.start("bad")
        turn = await house.ask(session, "/echo begun\n/sleep 600")
        await house.client.until(lambda seen: "begun" in seen.text(session))
        await house.cancel(session)
        assert (await turn.settled()).result["stopReason"] == "cancelled"


async def test_who_waits_no_more_learns_of_no_leak(beside):
    class Leaky(PassingAgent):
        async def call(self, frame):
            await leaks_a_scope()
            await anyio.sleep_forever()

    class Layer(PassingLayer):
        def agent(self, agent):
            return Leaky(agent)

    async with beside(layers(lambda _: Layer(), only="bad")) as (house, _):
        session = await house.start("bad")
        with anyio.move_on_after(LIMIT_S / 5) as patience:
            await house.call("_x/y", session)
        assert patience.cancelled_caught
        await works(house, session)


async def test_a_task_that_it_leaves_behind_ends_with_its_session(beside):
    @asynccontextmanager
    async def enter(session):
        async with anyio.create_task_group() as tasks:
            if session.name == "bad":
                tasks.start_soon(anyio.sleep_forever)
            yield PassingLayer()

    async with beside(enter) as (house, _):
        session = await house.start("bad")
        await works(house, session)
        await house.close(session)
        assert session not in house.desk.live


async def test_streams_that_it_never_closes_are_its_own(beside):
    async def notify(client, frames):
        LEFT_OPEN.append(anyio.create_memory_object_stream())
        await client.notify(frames)

    async with beside(layers(lambda _: Doing(notify), only="bad")) as (house, _):
        session = await house.start("bad")
        await works(house, session)
        await house.close(session)
        for stream in LEFT_OPEN.pop():
            stream.close()


async def test_an_error_of_what_was_wrapped_is_not_the_middlewares(beside):
    class Curious(PassingAgent):
        async def call(self, frame):
            async with anyio.create_task_group() as tasks:
                answer = await self.agent.call(frame)
                tasks.cancel_scope.cancel()
            return answer

    class Layer(PassingLayer):
        def agent(self, agent):
            return Curious(agent)

    async with beside(layers(lambda _: Layer(), only="bad")) as (house, _):
        session = await house.start("bad")
        assert (await house.call("_nobody/knows", session)).error["code"] == -32601
        outcome = await house.prompt(session, "/die 3")
        assert outcome.error["data"]["code"] == "AGENT_GONE"
