"""A store that fails: nothing is shown, answered or sent that is not on record, and every session still ends."""

import os
from contextlib import asynccontextmanager, suppress
from functools import partial
from math import inf

import anyio
import pytest
from frail_store import TAKEN

from kiro_core.errors import Unavailable
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.testing.client import allow
from kiro_core.types import PeerInfo

TITLED = '/raw {"method":"session/update","params":{"update":{"sessionUpdate":"session_info_update","title":"T"}}}'


@pytest.fixture
def opened_desk(opened_desk, store):
    return partial(opened_desk, plugins=[store], store="frail")


@pytest.fixture
def talking(opened_desk, store, scripted):
    """A session of an agent that does what its prompts say, in Python.

    `begin` has it begin a turn and wait, `go` lets it go on, and without a turn says something.
    """
    does = "exec(got['session/prompt']['prompt'][0]['text'])"
    said = {"prompt": does, "cancel": "tell('stopped;')", "_x/go": "tell('gone;')"}

    async def go(office, session):
        await office.agent.notify(Frame.of("_x/go", {"sessionId": session}))

    async def begin(office, session, text):
        turn = await office.ask(session, f"tell('begun;'); sys.stdin.readline(); {text}")
        await office.client.until(lambda c: "begun;" in c.text(session))
        return turn

    @asynccontextmanager
    async def opened(client):
        with anyio.fail_after(20):
            async with opened_desk(client, engine_settings={"x": scripted(**said)}, engine="x") as office:
                office.go, office.begin = partial(go, office), partial(begin, office)
                yield office, store, await office.start()

    return opened


def code(response):
    return response.error["data"]["code"]


async def nothing(_):
    return Frame.answer({})


async def test_a_session_that_cannot_be_recorded_is_not_started(opened_desk, store):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            store.fails("append", kind="opened")
            with pytest.raises(Unavailable):
                await office.start()
            assert not office.desk.live
            assert "process_begun" not in store.done
            await office.prompt(await office.start(), "the disk has room again")


async def test_an_update_that_cannot_be_recorded_fails_the_turns_at_once_and_the_session_goes_on_when_it_can(talking):
    client = RecordingClient()
    async with talking(client) as (office, store, session):
        running = await office.begin(session, "tell('kept;')")
        waiting = await office.ask(session, "tell('never begun')")
        full = store.fails("append", kind="update", times=inf)
        await office.go(session)
        assert code(await running.settled()) == "STORE_UNAVAILABLE"
        assert code(await waiting.settled()) == "STORE_UNAVAILABLE"
        for _ in range(3):
            with pytest.raises(Unavailable):
                await office.ask(session, "tell('refused')")
        assert client.text(session) == "begun;"
        assert session in office.desk.live
        full.mend()
        assert (await office.prompt(session, "tell('new;')")).result["stopReason"] == "end_turn"
        assert client.text(session) == "begun;kept;stopped;new;"
        prompts = [item.turn for item in await office.entries(session, "prompt")]
        ends = {item.turn: "error" in item.value for item in await office.entries(session, "turn_ended")}
        assert [ends[turn] for turn in prompts] == [True, True, False]
        kinds = [item.kind for item in await office.entries(session)]
        assert kinds.count("update") == 4
        assert [kind for kind in kinds if kind != "update"][-3:] == ["prompt", "turn_begun", "turn_ended"]


async def test_a_lost_lease_that_an_update_meets_ends_the_session_for_that_reason(opened_desk, store):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            pid = await office.pid(session)
            store.fails("append", TAKEN, kind="update")
            running = await office.ask(session, "/echo never shown\n/sleep 60")
            waiting = await office.ask(session, "waiting")
            assert code(await running.settled()) == "SESSION_FENCED"
            assert code(await waiting.settled()) == "SESSION_FENCED"
            await office.ended(session)
            assert session not in office.desk.live
            assert client.frames == []
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


async def test_a_batch_that_the_store_did_not_take_is_repeated_before_anything_newer(opened_desk, store):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            store.fails("append", kind="update")
            await office.prompt(session, "/echo once\n/sleep 60")
            await office.close(session)
            refused = next(batch for batch in store.tried if any(b'"kind":"update"' in body for body in batch))
            first = store.tried.index(refused)
            assert store.tried[first + 1] == refused
            kinds = [item.kind for item in await office.entries(session)]
            assert kinds[kinds.index("turn_begun") :][:2] == ["turn_begun", "update"]
            assert kinds.count("turn_ended") == 1


@pytest.mark.parametrize("kind", ["prompt", "turn_begun", "update", "turn_ended"])
async def test_what_the_store_has_although_it_said_otherwise_is_on_record_once(talking, kind):
    client = RecordingClient()
    async with talking(client) as (office, store, session):
        store.lies(kind)
        with suppress(Unavailable):
            await office.prompt(session, "tell('one;')")
        await office.prompt(session, "tell('two;')")
        records = [(item.kind, item.turn) for item in await office.entries(session) if item.turn]
        assert sorted(records) == sorted(set(records))
        told = [item.frame.raw for item in await office.entries(session, "update")]
        assert len(told) == len(client.frames)
        assert client.text(session).endswith("two;")


async def test_what_an_agent_says_while_nothing_can_be_recorded_is_kept_up_to_a_bound_and_then_counted(talking):
    client = RecordingClient(answer=nothing)
    said = "[tell(f'{n},'.ljust(99999)) for n in range(40)]"
    asks = "say(id='q', method='_x/ask', params={'sessionId': 's'})"
    async with talking(client) as (office, store, session):
        turn = await office.begin(session, f"tell(','); {said}; {asks}; sys.stdin.readline()")
        full = store.fails("append", kind="update", times=inf)
        await office.go(session)
        assert code(await turn.settled()) == "STORE_UNAVAILABLE"
        await client.until(lambda c: c.questions)
        full.mend()
        await office.prompt(session, "tell('40,')")
        (missing,) = await office.entries(session, "unrecorded")
        recorded = [item.frame for item in await office.entries(session, "update")]
        numbers = [text.strip() for text in client.text(session).split(",") if text.strip().isdigit()]
        assert numbers == [*map(str, range(40 - missing.value["updates"])), "40"]
        assert [frame.params["update"] for frame in recorded] == client.updates(session)
        assert 1 << 20 > sum(len(frame.raw) for frame in recorded) > (1 << 20) - 400_000
        order = [item.kind for item in await office.entries(session)]
        assert order.index("unrecorded") > order.index("update")


async def test_a_failure_without_a_turn_is_told_and_the_session_stays(talking):
    client = RecordingClient(PeerInfo("client", raw={"session": {"notices": {}}}, abilities=frozenset({"notices"})))
    async with talking(client) as (office, store, session):
        full = store.fails("append", kind="update", times=inf)
        await office.go(session)
        await client.until(lambda c: c.updates())
        (told,) = client.updates(session)
        assert told["sessionUpdate"] == "notice"
        assert "The disk is full." in told["title"]
        full.mend()
        await office.prompt(session, "tell('new;')")
        assert client.text(session) == "gone;new;"
        assert len(await office.entries(session, "notice")) == 1


async def test_what_was_kept_is_shown_as_soon_as_the_store_takes_it(talking):
    client = RecordingClient()
    async with talking(client) as (office, store, session):
        store.fails("append", kind="update")
        await office.go(session)
        await client.until(lambda c: c.text(session) == "gone;")
        assert len(await office.entries(session, "update")) == 1


async def test_a_client_that_comes_meanwhile_sees_everything_once(talking):
    client = RecordingClient()
    async with talking(RecordingClient()) as (office, store, session), office.desk.attach(client) as other:
        turn = await office.begin(session, "tell('kept;')")
        full = store.fails("append", kind="update", times=inf)
        await office.go(session)
        assert code(await turn.settled()) == "STORE_UNAVAILABLE"
        office.agent = other
        await office.load(session)
        full.mend()
        await office.prompt(session, "tell('new;')")
        assert client.text(session).count("kept;") == 1
        assert client.text(session).endswith("new;")


async def test_a_prompt_that_cannot_be_recorded_is_refused_and_never_sent_to_the_agent(opened_desk, store):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            store.fails("append", kind="prompt")
            with pytest.raises(Unavailable):
                await office.ask(session, "/echo refused;")
            assert (await office.prompt(session, "/echo taken;")).result["stopReason"] == "end_turn"
            assert client.text(session) == "taken;"


async def test_a_prompt_that_was_refused_is_no_part_of_the_conversation(opened_desk, store):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office, office.desk.attach(client) as other:
            session = await office.start()
            store.fails("append", kind="prompt")
            with pytest.raises(Unavailable):
                await office.ask(session, "/echo refused;")
            await office.prompt(session, "/echo taken;")
            office.agent = other
            await office.load(session)
            said = [u["content"]["text"] for u in client.updates() if u["sessionUpdate"] == "user_message_chunk"]
            assert said == ["/echo taken;"]


async def test_a_prompt_that_is_taken_back_while_it_is_recorded_has_an_outcome_on_record(opened_desk, store):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            recording = store.hangs("append", kind="prompt")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(office.ask, session, "taken back")
                await recording.begun.wait()
                tasks.cancel_scope.cancel()
                recording.over.set()
            await office.prompt(session, "and on")
            await office.close(session)
            asked = [item.turn for item in await office.entries(session, "prompt")]
            ended = [item.turn for item in await office.entries(session, "turn_ended")]
            assert sorted(ended) == sorted(asked)


async def test_a_prompt_is_answered_after_its_end_was_made_durable(opened_desk, store):
    async def answered(office, session):
        await office.prompt(session, "hello")
        store.did("answered")

    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office, anyio.create_task_group() as tasks:
            session = await office.start()
            committing = store.hangs("commit")
            tasks.start_soon(answered, office, session)
            await office.recorded(session, "turn_ended")
            await anyio.wait_all_tasks_blocked()
            assert "answered" not in store.done
            committing.mend()
    assert store.is_safe("turn_ended", "answered")


async def test_an_answer_is_made_durable_before_the_agent_learns_it(opened_desk, store):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            await office.prompt(await office.start(), "/permission delete it")
    assert store.is_safe("answer", "update")


async def test_a_question_that_cannot_be_recorded_is_asked_of_nobody(opened_desk, store):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            store.fails("append", kind="question")
            await office.prompt(session, "/permission delete it")
            assert client.questions == []
            assert "Permission: allow" not in client.text(session)


@pytest.mark.parametrize(("verb", "kind"), [("append", "answer"), ("commit", "")])
async def test_an_answer_that_cannot_be_recorded_is_not_told_to_the_agent(opened_desk, store, verb, kind):
    async def agree(frame):
        troubles.append(store.fails(verb, kind=kind, times=inf))
        return await allow(frame)

    client, troubles = RecordingClient(answer=agree), []
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            assert code(await office.prompt(session, "/permission delete it")) == "STORE_UNAVAILABLE"
            troubles[0].mend()
            await office.prompt(session, "/echo and on")
            assert "Permission: allow" not in client.text(session)
            by = [item.value["by"] for item in await office.entries(session, "answer")]
            assert by == ["client", "not recorded"]


@pytest.mark.parametrize(("verb", "kind"), [("append", "turn_ended"), ("commit", "")])
async def test_a_turn_whose_end_is_not_on_record_is_not_answered_as_done(opened_desk, store, verb, kind):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            store.fails(verb, kind=kind)
            assert code(await office.prompt(session, "hello")) == "STORE_UNAVAILABLE"


async def test_a_flush_that_fails_while_a_turn_runs_fails_that_turn_and_the_session_goes_on(opened_desk, store):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            store.fails("commit")
            assert code(await office.prompt(session, "/sleep 60")) == "STORE_UNAVAILABLE"
            assert (await office.prompt(session, "/echo on")).result["stopReason"] == "end_turn"
            assert [("error" in item.value) for item in await office.entries(session, "turn_ended")] == [True, False]


async def test_a_lost_lease_ends_the_agent_and_settles_its_turns_as_fenced(opened_desk, store):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            pid = await office.pid(session)
            running, waiting = await office.ask(session, "begun\n/sleep 60"), await office.ask(session, "waiting")
            await client.until(lambda c: "begun" in c.text(session))
            store.db.lost.set()
            assert code(await running.settled()) == "SESSION_FENCED"
            assert code(await waiting.settled()) == "SESSION_FENCED"
            await office.ended(session)
            assert session not in office.desk.live
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


@pytest.mark.parametrize("said", ["hello", TITLED], ids=["the desk's own", "a title of the agent"])
async def test_metadata_that_cannot_be_written_fails_neither_a_turn_nor_the_session(opened_desk, store, said):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            store.fails("put_info", times=inf)
            turns = [await office.ask(session, said) for _ in range(2)]
            assert [(await turn.settled()).raw for turn in turns if (await turn.settled()).failed] == []
            assert session in office.desk.live


async def test_a_title_that_comes_while_the_metadata_is_being_written_is_kept(opened_desk, store, scripted):
    code = "update(sessionUpdate='session_info_update', title='Mine')"
    with anyio.fail_after(20):
        async with (
            opened_desk(RecordingClient(), engine_settings={"x": scripted(opened=code)}, engine="x") as office,
            anyio.create_task_group() as tasks,
        ):
            writing = store.hangs("put_info")

            async def go_on():
                while "update" not in store.done:
                    await anyio.lowlevel.checkpoint()
                await anyio.wait_all_tasks_blocked()
                writing.over.set()

            tasks.start_soon(go_on)
            session = await office.start()
            await office.prompt(session, "Fix the bug")
            await office.close(session)
            info = await office.desk.info(session)
            assert (info.title, info.agent_session) == ("Mine", "s")


async def test_a_store_that_takes_nothing_more_keeps_no_session_from_ending(opened_desk, store):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            pid = await office.pid(session)
            turn = await office.ask(session, "begun\n/sleep 60")
            await client.until(lambda c: "begun" in c.text(session))
            for verb in ("append", "commit", "put_info"):
                store.fails(verb, times=inf)
            await office.close(session)
            assert (await turn.settled()).raw
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


@pytest.mark.parametrize("verb", ["append", "commit", "put_info"])
async def test_a_store_that_hangs_keeps_no_session_from_ending_within_its_bounds(opened_desk, store, verb):
    client = RecordingClient()
    with anyio.fail_after(60):
        async with opened_desk(client, limits={"close_s": 0.5, "shutdown_s": 1}) as office:
            session = await office.start()
            turn = await office.ask(session, "begun\n/sleep 60")
            await client.until(lambda c: "begun" in c.text(session))
            hanging = store.hangs(verb)
            await office.close(session)
            assert (await turn.settled()).raw
            assert session not in office.desk.live
        assert hanging.begun.is_set()
        assert not hanging.outlived, "somebody waited for the store as long as it liked"


async def test_a_desk_that_closes_ends_all_its_sessions_at_once(opened_desk, store):
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient(), limits={"shutdown_s": 60}) as office:
            for _ in range(3):
                await office.start()
            together = store.hangs("append", kind="closed", together=3)
    assert together.over.is_set()
    assert not together.outlived
    assert store.done.count("closed") == 3
