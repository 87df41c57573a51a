"""Whatever a middleware does wrong, it does to one session: another one of the desk works on meanwhile."""

from contextlib import asynccontextmanager

import pytest
from scripted_layers import Doing, layers
from wrongs import WAYS, hangs, leaks_a_group, leaks_a_scope, raises, told, works

from kiro_core.errors import MiddlewareFailed
from kiro_core.ports import PassingLayer


@pytest.mark.parametrize("wrong", [raises, hangs, leaks_a_scope, leaks_a_group], ids=lambda wrong: wrong.__name__)
async def test_entering(beside, wrong, on_disk):
    @asynccontextmanager
    async def enter(session):
        if session.name == "bad":
            await wrong()
        yield PassingLayer()

    async with beside(enter) as (house, fine):
        if wrong in (raises, hangs):
            with pytest.raises(MiddlewareFailed) as caught:
                await house.start("bad")
            assert str(caught.value) == told(wrong, "enter")
            assert caught.value.details == {"middleware": "broken", "seam": "enter"}
            assert list(house.desk.live) == [fine]
        else:  # what it has left open is noticed when its task ends
            session = await house.start("bad")
            await works(house, session)
            await house.close(session)
        assert on_disk("plum") == []


@WAYS
async def test_leaving(beside, wrong):
    @asynccontextmanager
    async def enter(session):
        yield PassingLayer()
        if session.name == "bad":
            await wrong()

    async with beside(enter) as (house, _):
        session = await house.start("bad")
        await works(house, session)
        await house.close(session)
        assert session not in house.desk.live
        (closed,) = await house.entries(session, "closed")
        assert closed.value == {"reason": "closed"}


@WAYS
async def test_what_the_agent_says(beside, wrong, on_disk):
    async def notify(client, frames):
        if b"pear" in b"".join(frame.raw for frame in frames):
            await wrong()
        await client.notify(frames)

    async with beside(layers(lambda _: Doing(notify), only="bad")) as (house, _):
        session = await house.start("bad")
        outcome = await house.prompt(session, "/echo apple\n/sleep 0\n/echo a pear")
        if wrong in (raises, hangs):
            assert outcome.error["data"]["code"] == "MIDDLEWARE_FAILED"
            assert outcome.error["message"].startswith(told(wrong, "client.notify"))
            assert house.client.text(session) in ("apple", "")
        await house.ended(session)
        (ended,) = await house.entries(session, "turn_ended")
        (closed,) = await house.entries(session, "closed")
        assert closed.value == {"reason": told(wrong, "client.notify")}
        assert ended.value["state"] == "failed"
        if wrong in (raises, hangs):  # before it has passed it on
            assert "a pear" not in str([item.value for item in await house.entries(session, "update")])
        assert on_disk("plum") == []


@WAYS
async def test_what_the_agent_asks(beside, wrong):
    async def request(client, frame):
        await wrong()
        return await client.request(frame)

    async with beside(layers(lambda _: Doing(None, request), only="bad")) as (house, _):
        session = await house.start("bad")
        outcome = await house.prompt(session, "/permission delete it")
        assert outcome.result["stopReason"] == "end_turn"
        assert "Permission: reject_once" in house.client.text(session)
        decision = (await house.entries(session, "decision"))[-1]
        assert decision.value["reason"] == told(wrong, "client.request")
        assert (decision.value["rule"], decision.value["outcome"]) == ("broken", "denied")
        await works(house, session)


@WAYS
@pytest.mark.parametrize("seam", ["agent.prompt", "turn.settled"])
async def test_what_the_agent_is_asked(beside, wrong, seam):
    asked = []

    async def prompt(agent, frame):
        asked.append(frame)
        if len(asked) == 1:
            await wrong()
        return await agent.prompt(frame)

    async def settled(turn):
        asked.append(turn)
        if len(asked) == 1:
            await wrong()
        return await turn.settled()

    does = Doing(prompt=prompt) if seam == "agent.prompt" else Doing(settled=settled)
    async with beside(layers(lambda _: does, only="bad")) as (house, _):
        session = await house.start("bad")
        outcome = await house.prompt(session, "/echo one")
        assert outcome.error["data"]["code"] == "MIDDLEWARE_FAILED"
        assert outcome.error["message"].startswith(told(wrong, seam))
        outcome = await house.prompt(session, "/echo two")
        assert outcome.result["stopReason"] == "end_turn"
        assert house.client.text(session).endswith("two")
        first, second = await house.entries(session, "turn_ended")
        assert (first.value["state"], second.value["state"]) == ("failed", "settled")
