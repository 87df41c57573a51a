"""Whoever watches a session has every record of it once and in order, wherever it is worked on."""

from contextlib import aclosing

import anyio
import pytest

from kiro_core import Registry, open_desk
from kiro_core.errors import Disconnected, Held, SessionBusy, SessionNotFound
from kiro_core.journal import entry
from kiro_core.testing import RecordingClient
from kiro_core.types import Contact, SessionId

UNKNOWN = SessionId("00000000-0000-4000-8000-000000000000")


@pytest.fixture
def looking(settings):
    """A desk that only looks at records, as commands open it."""
    return lambda: open_desk(settings(), Registry())


async def all_of(records):
    async with aclosing(records):
        return [record async for record in records]


async def until(records, kind):
    """Read on until a record of that kind; all of them."""
    found = []
    async for record in records:
        found.append(record)
        if entry(record).kind == kind:
            return found
    return found


@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_what_is_recorded_comes_first_and_then_what_happens(desk, looking, where):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, looking() as other:
            session = SessionId(await one.new())
            await one.prompt(session, "/echo one")
            watching = (one.desk if where == "here" else other).watch(session)
            async with aclosing(watching) as records:
                found = await until(records, "turn_ended")
                await one.prompt(session, "/echo two")
                found += await until(records, "turn_ended")
                await one.close(session)
                found += [record async for record in records]
            assert found == await all_of(other.read(session))
            assert entry(found[-1]).kind == "closed"


@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_only_what_follows_a_record_is_shown(desk, looking, where):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, looking() as other:
            session = SessionId(await one.new())
            await one.prompt(session, "/echo one")
            known = [record.seq async for record in other.read(session)]
            async with aclosing((one.desk if where == "here" else other).watch(session, known[-1])) as records:
                await one.prompt(session, "/echo two")
                found = await until(records, "turn_ended")
            assert [record.seq for record in found] == [known[-1] + 1 + n for n in range(len(found))]


async def test_each_of_many_watchers_may_be_as_slow_as_it_likes(desk, looking):
    with anyio.fail_after(60):
        async with desk(RecordingClient()) as one, looking() as other, anyio.create_task_group() as tasks:
            session = SessionId(await one.new())
            found = []

            async def watch(pause):
                async with aclosing(other.watch(session)) as records:
                    seen = []
                    async for record in records:
                        seen.append(record)
                        for _ in range(pause):
                            await anyio.lowlevel.checkpoint()
                    found.append(seen)

            for pause in (0, 0, 50):
                tasks.start_soon(watch, pause)
            for _ in range(5):
                await one.prompt(session, "one two three four five six seven")
            await one.close(session)
        async with looking() as other:
            assert found == [await all_of(other.read(session))] * 3


async def test_a_session_that_nobody_holds_ends_with_its_record(desk, looking):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one:
            session = SessionId(await one.new())
        async with looking() as other:
            assert await all_of(other.watch(session)) == await all_of(other.read(session))
            assert not await other.holder(session)
            with pytest.raises(SessionNotFound):
                await all_of(other.watch(UNKNOWN))


@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_the_end_of_a_session_that_is_deleted_is_an_end(desk, looking, where):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, looking() as other:
            session = SessionId(await one.new())
            async with aclosing((one.desk if where == "here" else other).watch(session)) as records:
                assert await anext(records)
                await one.desk.delete(session)
                assert [entry(record).kind async for record in records]


async def test_who_stops_watching_leaves_nothing_behind(desk, looking):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, looking() as other:
            session = SessionId(await one.new())
            for _ in range(3):
                async with aclosing(other.watch(session)) as records:
                    with anyio.move_on_after(5):
                        assert await anext(records)
            assert (await one.prompt(session, "/echo one")).result["stopReason"] == "end_turn"


async def test_a_watcher_whose_desk_is_killed_has_everything_that_was_recorded(editor, looking):
    with anyio.fail_after(60):
        one = await anyio.to_thread.run_sync(editor)
        session = SessionId(await anyio.to_thread.run_sync(one.new))
        async with looking() as other:
            async with aclosing(other.watch(session)) as records:
                one.prompt(session, "/echo at work\n/hang")
                found = await until(records, "update")
                one.process.kill()
                found += [record async for record in records]
            assert found == await all_of(other.read(session))


async def test_an_owner_that_cannot_be_asked_is_named(settings, looking):
    from kiro_core.testing.store_samples import session as sample
    from kiro_files import FilesOptions, open_store

    info = sample()
    with anyio.fail_after(30):
        async with open_store(FilesOptions()) as store, store.create(info, Contact("acp", "/none.sock")) as db:
            await db.append([b'{"at":"2026-01-01T00:00:00.000Z","kind":"odd"}'])
            async with looking() as other, aclosing(other.watch(info.id)) as records:
                assert (await anext(records)).seq == 1
                with pytest.raises(Disconnected, match="cannot be asked"):
                    await anext(records)


async def test_an_owner_lets_go_of_a_session_that_nobody_has_open(desk, looking):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, looking() as other:
            kept = SessionId(await one.new())
            session = SessionId(await one.new())
            with pytest.raises(Held, match="somebody has it open there"):
                await other.take_over(session)
            one.desk.live[session].clients.leave(one.client)
            assert (await other.take_over(session))["let_go"]
            assert list(one.desk.live) == [kept]
            assert not await other.take_over(session)
            assert "taken_over" in await one.kinds(session)


async def test_an_owner_keeps_a_session_in_which_a_turn_runs(desk, looking):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, looking() as other:
            session = SessionId(await one.new())
            turn = await one.ask(session, "/sleep 60")
            with pytest.raises(Held, match="a turn of it runs there") as refused:
                await other.take_over(session)
            assert isinstance(refused.value.__cause__, SessionBusy)
            owner = await other.take_over(session, force=True)
            assert owner["let_go"]
            assert (await turn.settled()).result["stopReason"] == "cancelled"
            assert (await one.kinds(session)).count("taken_over") == 1


async def test_a_session_of_another_desk_is_named_and_deleted_there(desk, looking):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, looking() as other:
            session = SessionId(await one.new())
            info = await other.relabel(session, title="Parser", name="parser", tags=["b", "a"])
            assert (info.title, info.name, info.tags, info.titled) == ("Parser", "parser", ("a", "b"), True)
            assert await one.desk.info(session) == info
            assert (await other.relabel(session, title="")).name == "parser"
            await other.delete(session)
            assert list(one.desk.live) == []
            with pytest.raises(SessionNotFound):
                await other.info(session)
