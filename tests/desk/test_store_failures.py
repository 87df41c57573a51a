"""A store that fails: nothing is shown, answered or sent that is not on record, and every session still ends."""

import json
import os
from contextlib import asynccontextmanager
from functools import partial
from math import inf

import anyio
import pytest

from kiro_core import Provider, hookimpl
from kiro_core.errors import Fenced, Unavailable
from kiro_core.testing import RecordingClient
from kiro_files import FilesOptions, open_store

FULL = Unavailable("The disk is full.")
TAKEN = Fenced("Another owner has taken the session over.")
HANG_S = 10
TITLED = '/raw {"method":"session/update","params":{"update":{"sessionUpdate":"session_info_update","title":"T"}}}'


class Trouble:
    """What happens to the next `times` calls of a verb: an error, or a wait until `over`, or until so many wait.

    `kind` narrows it to batches that hold such a record.
    """

    def __init__(self, verb, kind, times, error=None):
        self.begun, self.over = anyio.Event(), anyio.Event()
        self.outlived = False
        self._verb, self._kind, self._times, self._error = verb, kind, times, error

    def concerns(self, verb, kinds):
        return self._verb == verb and self._times > 0 and self._kind in ("", *kinds)

    async def happen(self):
        self.begun.set()
        self._times -= 1
        if self._error:
            raise self._error
        if not self._times:
            self.over.set()
        try:
            await self._wait()
        finally:
            self._times += 1

    async def _wait(self):
        # Bounded, since a caller may be shielded: a test fails, and never hangs itself.
        with anyio.move_on_after(HANG_S):
            await self.over.wait()
            return
        self.outlived = True
        self.over.set()


class FrailStore:
    """A plugin: the files store, whose writes fail and hang as told.

    `tried` has every batch that was offered, `done` what was written, in order: the kind of each record,
    "commit" and "put_info".
    """

    def __init__(self):
        self.tried, self.done = [], []
        self.db = None
        self._troubles = []

    def fails(self, verb, error=FULL, *, kind="", times=1):
        self._troubles.append(Trouble(verb, kind, times, error))

    def hangs(self, verb, *, kind="", together=inf):
        self._troubles.append(Trouble(verb, kind, together))
        return self._troubles[-1]

    async def strike(self, verb, kinds=()):
        for trouble in self._troubles:
            if trouble.concerns(verb, kinds):
                await trouble.happen()

    @hookimpl
    def kiro_stores(self):
        yield Provider("frail", self._open)

    @asynccontextmanager
    async def _open(self, _):
        async with open_store(FilesOptions()) as files:
            self.get, self.list, self.read = files.get, files.list, files.read
            self.create, self.open = partial(self._held, files.create), partial(self._held, files.open)
            yield self

    @asynccontextmanager
    async def _held(self, hold, which):
        async with hold(which) as db:
            self.db = FrailDb(db, self)
            yield self.db


class FrailDb:
    """A session of a `FrailStore`, held."""

    def __init__(self, db, store):
        self._db, self._store = db, store

    def __getattr__(self, name):
        return getattr(self._db, name)

    async def append(self, batch):
        kinds = [json.loads(body)["kind"] for body in batch]
        self._store.tried.append(list(batch))
        await self._store.strike("append", kinds)
        head = await self._db.append(batch)
        self._store.done.extend(kinds)
        return head

    async def commit(self):
        await self._store.strike("commit")
        await self._db.commit()
        self._store.done.append("commit")

    async def put_info(self, info):
        await self._store.strike("put_info")
        await self._db.put_info(info)
        self._store.done.append("put_info")


@pytest.fixture
def store():
    return FrailStore()


@pytest.fixture
def opened_desk(opened_desk, store):
    return partial(opened_desk, plugins=[store], store="frail")


def code(response):
    return response.error["data"]["code"]


async def test_a_session_that_cannot_be_recorded_is_not_started(opened_desk, store):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            store.fails("append", kind="opened")
            with pytest.raises(Unavailable):
                await office.start()
            assert not office.desk.live
            assert "process_begun" not in store.done
            await office.prompt(await office.start(), "the disk has room again")


@pytest.mark.parametrize("error", [FULL, TAKEN], ids=lambda error: error.code)
async def test_an_update_that_cannot_be_recorded_is_not_shown_and_ends_the_session_for_that_reason(
    opened_desk, store, error
):
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            pid = await office.pid(session)
            store.fails("append", error, kind="update")
            running = await office.ask(session, "/echo never shown\n/sleep 60")
            waiting = await office.ask(session, "waiting")
            assert code(await running.settled()) == error.code
            assert code(await waiting.settled()) == error.code
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
            await office.ended(session)
            refused = next(batch for batch in store.tried if any(b'"kind":"update"' in body for body in batch))
            first = store.tried.index(refused)
            assert store.tried[first + 1] == refused
            kinds = [item.kind for item in await office.entries(session)]
            assert kinds[kinds.index("turn_begun") :][:3] == ["turn_begun", "update", "turn_ended"]
            assert kinds.count("update") == 1


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
        store.done.append("answered")

    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office, anyio.create_task_group() as tasks:
            session = await office.start()
            committing = store.hangs("commit")
            tasks.start_soon(answered, office, session)
            await committing.begun.wait()
            await anyio.wait_all_tasks_blocked()
            assert store.done[-1] == "turn_ended"
            committing.over.set()
    told = [word for word in store.done[store.done.index("turn_ended") :] if word != "put_info"]
    assert told[:3] == ["turn_ended", "commit", "answered"]


async def test_an_answer_is_made_durable_before_the_agent_learns_it(opened_desk, store):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            await office.prompt(await office.start(), "/permission delete it")
    since = store.done.index("answer")
    assert store.done[since : since + 3] == ["answer", "commit", "update"]


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
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client) as office:
            session = await office.start()
            store.fails(verb, kind=kind)
            await office.prompt(session, "/permission delete it")
            assert len(client.questions) == 1
            assert "Permission: allow" not in client.text(session)


@pytest.mark.parametrize(("verb", "kind"), [("append", "turn_ended"), ("commit", "")])
async def test_a_turn_whose_end_is_not_on_record_is_not_answered_as_done(opened_desk, store, verb, kind):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            store.fails(verb, kind=kind)
            assert code(await office.prompt(session, "hello")) == "STORE_UNAVAILABLE"


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
