"""What is on the disk when: before it is shown, before it is told, soon after, and never twice for nothing."""

from contextlib import asynccontextmanager
from math import inf

import anyio
import pytest
from frail_store import FULL

from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.types import SessionQuery

DOES = "exec(got['session/prompt']['prompt'][0]['text'])"
TITLE = "update(sessionUpdate='session_info_update', title=f'T{n}')"
USAGE = "update(sessionUpdate='usage_update', used=n, size=9999)"


class Watching(RecordingClient):
    """A client that tells the store when it is shown something; `counts` is how many words it had been shown then."""

    def __init__(self, store):
        super().__init__()
        self._store = store
        self.counts = []

    async def notify(self, frames):
        self._store.did("shown")
        await super().notify(frames)
        self.counts.append(sum(update["sessionUpdate"] == "agent_message_chunk" for update in self.updates()))


@pytest.fixture
def talking(opened_desk, store, scripted):
    """A session of an agent that does what its prompts say, in Python."""

    @asynccontextmanager
    async def opened(client, **settings):
        settings = {"engine_settings": {"x": scripted(prompt=DOES)}, "engine": "x", **settings}
        with anyio.fail_after(20):
            async with opened_desk(client, plugins=[store], store="frail", **settings) as office:
                yield office, await office.start()

    return opened


async def test_what_is_shown_during_a_turn_becomes_durable_without_anybody_asking(talking, store):
    client = RecordingClient()
    async with talking(client) as (office, session):
        turn = await office.ask(session, "tell('begun'); sys.stdin.readline()")
        await client.until(lambda c: c.text(session))
        while store.durable <= store.done.index("update"):
            await anyio.lowlevel.checkpoint()
        assert "turn_ended" not in store.done
        await turn.cancel()
        await turn.settled()


async def test_a_flush_that_hangs_delays_no_update_and_one_more_is_enough_for_all_that_came(talking, store):
    client = RecordingClient()
    says = "tell('begun;'); sys.stdin.readline(); [(tell(f'{n};'), sys.stdin.readline()) for n in range(9)]"
    async with talking(client) as (office, session):
        await office.prompt(session, "0")  # whose end has made durable all that was before
        before, ended = store.done.count("commit"), store.done.count("turn_ended")
        hanging = store.hangs("commit")
        turn = await office.ask(session, says)
        await hanging.begun.wait()
        for said in ("begun;", *(f"{n};" for n in range(9))):
            await client.until(lambda c, said=said: c.text(session).endswith(said))
            await office.agent.notify(Frame.of("_x/go", {"sessionId": session}))
        while store.done.count("turn_ended") == ended:
            await anyio.lowlevel.checkpoint()
        assert store.done.count("commit") == before
        hanging.mend()
        assert not (await turn.settled()).failed
        assert store.done.count("commit") == before + 2
        assert store.done.count("update") == 10


async def test_a_disk_that_stalls_at_every_flush_delays_no_update(talking, store):
    client = RecordingClient()

    async def stall():
        """As long as the disk takes, three more updates come through."""
        seen = len(client.frames)
        await client.until(lambda c: len(c.frames) >= min(seen + 3, 600))

    async with talking(client) as (office, session):
        await office.prompt(session, "0")
        before, store.stall = len(store.done), stall
        await office.prompt(session, "[(tell('x'), time.sleep(0.0005)) for n in range(600)]")
        assert client.text(session) == "x" * 600
        assert store.done[before:].count("commit") <= 600 / 3 + 2


async def test_with_strict_nothing_is_shown_that_is_not_durable(talking, store):
    client = Watching(store)
    async with talking(client, durability="strict") as (office, session):
        await office.prompt(session, "[(tell(str(n)), sys.stdout.flush()) for n in range(200)]")
        shown = [index for index, what in enumerate(store.done) if what == "shown"]
        updates = [index for index, what in enumerate(store.done) if what == "update"]
        for index, count in zip(shown, client.counts, strict=True):
            assert store.safe[index] > max(updates[:count], default=-1)
        assert client.text(session) == "".join(map(str, range(200)))


async def test_with_strict_an_update_whose_flush_fails_is_shown_when_it_is_durable_and_written_once(talking, store):
    client = RecordingClient()
    async with talking(client, durability="strict") as (office, session):
        turn = await office.ask(session, "tell('begun;'); sys.stdin.readline(); tell('kept;')")
        await client.until(lambda c: c.text(session))
        failing = store.fails("commit", FULL, times=inf)
        await office.agent.notify(Frame.of("_x/go", {"sessionId": session}))
        assert (await turn.settled()).error["data"]["code"] == "STORE_UNAVAILABLE"
        assert client.text(session) == "begun;"
        failing.mend()
        await office.prompt(session, "tell('new;')")
        assert client.text(session) == "begun;kept;new;"
        assert len(await office.entries(session, "update")) == 3


async def test_a_turn_full_of_titles_replaces_the_metadata_a_few_times_and_the_last_one_is_kept(talking, store):
    client = RecordingClient()
    async with talking(client) as (office, session):
        before = store.done.count("put_info")
        await office.prompt(session, f"[({TITLE}, {USAGE}) for n in range(500)]")
        assert store.done.count("put_info") - before <= 5
        assert (await office.desk.info(session)).title == "T499"
        await office.close(session)
        assert store.done.count("put_info") - before <= 5
        assert (await office.desk.info(session)).title == "T499"
        assert len(client.updates(session)) >= 1000


async def test_metadata_that_are_written_later_are_listed_as_they_will_be(talking, store):
    async with talking(RecordingClient()) as (office, session):
        writing = store.hangs("put_info")
        await office.prompt(session, "0")
        (info,) = (await office.desk.sessions(SessionQuery())).items
        assert info.title == "0"
        assert (await store.get(session)).title == ""
        await writing.begun.wait()
        writing.mend()
        while (await store.get(session)).title != "0":
            await anyio.lowlevel.checkpoint()


async def test_a_replacement_that_hangs_delays_no_update(talking, store):
    client = RecordingClient()
    async with talking(client) as (office, session):
        writing = store.hangs("put_info")
        await office.prompt(session, "0")
        await writing.begun.wait()
        await office.prompt(session, f"n = 1; {TITLE}; tell('and on')")
        assert client.text(session) == "and on"
        writing.mend()


async def test_metadata_that_could_not_be_written_are_written_with_the_next_change_or_at_the_end(talking, store):
    async with talking(RecordingClient()) as (office, session):
        full = store.fails("put_info", times=inf)
        await office.prompt(session, f"n = 1; {TITLE}")
        await full.begun.wait()
        full.mend()
        assert (await store.get(session)).title == ""
        await office.close(session)
        assert (await store.get(session)).title == "T1"


async def test_what_must_be_durable_before_it_is_told_is_written_at_once(opened_desk, store):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient(), plugins=[store], store="frail") as office:
            opened = await office.new()
            session = opened["sessionId"]
            assert (await store.get(session)).agent_session
            await office.desk.relabel(session, title="Mine")
            assert (await store.get(session)).title == "Mine"
            (models,) = (option["options"] for option in opened["configOptions"] if option["id"] == "model")
            await office.set(session, "model", models[-1]["value"])
            assert (await store.get(session)).model == models[-1]["value"]


async def test_a_stream_of_updates_replaces_the_metadata_and_flushes_a_few_times_only(talking, store):
    client = RecordingClient()
    async with talking(client) as (office, session):
        await office.prompt(session, f"for n in range(1000): {USAGE}")
        updates = [update for update in client.updates() if update["sessionUpdate"] == "usage_update"]
        begun = store.done.index("turn_begun")
        done = store.done[begun : store.done.index("turn_ended", begun) + 1]
    assert len(updates) == 1000
    assert done.count("put_info") <= 5
    # Each window of 25 ms has one flush at most, and a slow machine may need many windows for a thousand updates.
    assert done.count("commit") <= done.count("update")
