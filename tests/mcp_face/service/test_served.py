"""Sessions in a served desk: reached through the same attachment, and the same to hosts as any other."""

from contextlib import asynccontextmanager

import anyio
import pytest

from kiro_core.control import Served, claim_served
from kiro_core.dispatcher import open_desk
from kiro_core.registry import Registry


class Verbs:
    async def stop(self):
        return {}

    async def reload(self):
        return {}


@pytest.fixture
def served(loaded):
    """`async with served(limits={...}) as desk`: the served desk of the test's store."""

    @asynccontextmanager
    async def opened(**settings):
        chosen = loaded(**settings)
        with claim_served(chosen, Registry()) as path:
            async with open_desk(chosen, Registry(), face="serve", served=Served(path, Verbs())) as desk:
                yield desk

    return opened


async def test_a_session_lives_there_and_is_driven_and_ended_from_here(opened, served):
    with anyio.fail_after(30):
        async with served() as desk, opened() as place:
            session = await place.create()
            assert list(desk.live) == [session]
            assert not place.desk.live
            begun = await place.tasks.start(place.host, "/echo one\n/permission\n/echo two")
            waiting = await place.tasks.start(place.host, "/echo three")
            question = await place.asked(begun.id)
            assert (await place.tasks.follow(place.host, waiting.id)).status == "pending"
            place.questions.answer(place.host, question.id, "once")
            assert (await place.done(begun.id)).text.endswith("two")
            assert (await place.done(waiting.id)).text == "three"
            running = await place.tasks.start(place.host, "/echo half\n/sleep 600")
            await place.until(running.id, "streaming")
            await place.sessions.end(place.host, session)
            assert (await place.done(running.id)).status == "cancelled"
            assert not desk.live
            assert not place.sessions.listed(place.host)


async def test_a_prompt_that_is_refused_there_is_refused_here(opened, served, refused):
    with anyio.fail_after(30):
        async with served(limits={"max_queued_prompts": 1}), opened() as place:
            for _ in range(2):
                await place.tasks.start(place.host, "/sleep 600")
            assert (await refused(place.tasks.start, place.host, "one too many")).code == "SESSION_BUSY"
            assert len(await place.tasks.listed(place.host)) == 2


async def test_a_task_is_cancelled_there_alone(opened, served):
    with anyio.fail_after(30):
        async with served(), opened() as place:
            running = await place.tasks.start(place.host, "/echo one\n/sleep 600")
            waiting = await place.tasks.start(place.host, "/echo two")
            await place.until(running.id, "streaming")
            assert await place.tasks.cancel(place.host, running.id)
            assert (await place.done(running.id)).status == "cancelled"
            assert (await place.done(waiting.id)).text == "two"


async def test_a_session_that_ends_there_is_not_open_here(opened, served, refused):
    with anyio.fail_after(30):
        async with served() as desk, opened() as place:
            session = await place.create()
            await desk.live[session].close()
            await place.gone(session)
            assert (await refused(place.tasks.start, place.host, "hello", session)).code == "SESSION_INACTIVE"


async def test_a_served_desk_that_ends_takes_its_sessions_with_it_and_they_are_loaded_again(opened, served, refused):
    with anyio.fail_after(30):
        async with opened() as place:
            async with served():
                session = await place.create()
                begun = await place.tasks.start(place.host, "/echo half\n/sleep 600")
                await place.until(begun.id, "streaming")
            assert (await place.done(begun.id)).status == "cancelled"
            await place.gone(session)
            assert (await refused(place.tasks.start, place.host, "hello", session)).code == "SESSION_INACTIVE"
            await place.sessions.load(place.host, session_id=session)
            assert (await place.chat("/echo back")).text.endswith("back")


async def test_a_turn_that_outlives_its_server_is_followed_by_the_next_one(opened, served, refused, gate):
    with anyio.fail_after(30):
        scripted = {"slow": {"prompt": f"tell('one')\n{gate.wait}\ntell('two')"}}
        async with served(scripted=scripted):
            async with opened(scripted=scripted, engine="slow") as place:
                begun = await place.tasks.start(place.host, "hello")
                await place.until(begun.id, "streaming")
            async with opened(scripted=scripted, engine="slow") as place:
                assert [chunk.content for chunk in (await place.tasks.follow(place.host, begun.id)).chunks] == ["one"]
                assert (await refused(place.tasks.cancel, place.host, begun.id)).code == "SESSION_INACTIVE"
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(_let_in, gate)
                    view = await place.done(begun.id)
                assert (view.status, view.text) == ("completed", "onetwo")


async def _let_in(gate):
    await anyio.wait_all_tasks_blocked()
    gate.let_in()
