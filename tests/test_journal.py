"""What happened is on record in the order in which it happened, once, and can be read back as it was."""

import json
from contextlib import nullcontext
from itertools import chain, repeat

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiro_core.errors import Fenced, KiroError, RecordInvalid, Unavailable
from kiro_core.frames import Frame
from kiro_core.journal import Journal, conversation, entry
from kiro_core.types import Record, SessionId

LOST, KEPT = "not written", "written, but nobody was told"
SESSION = SessionId("ours")


class Log:
    """A `SessionDb` in memory that fails as told, and insists on what it may expect of its one writer.

    `outcomes` has one item per append: None, an exception, `LOST` or `KEPT`; `flushes` one per commit.
    `gate` holds appends up, `disk` commits. `messages` are pending, and `settled` has what each batch has settled.
    """

    def __init__(self, outcomes=()):
        self.outcomes = chain(outcomes, repeat(None))
        self.batches = []
        self.messages, self.settled = set("abc"), []
        self.durable = 0
        self.commits = 0
        self.flushes = chain((), repeat(None))
        self.gate = anyio.Event()
        self.gate.set()
        self.disk = anyio.Event()
        self.disk.set()
        self._writing = False
        self._unsure = None

    @property
    def head(self):
        return len(self.bodies)

    @property
    def bodies(self):
        return [body for batch in self.batches for body in batch]

    @property
    def seen(self):
        """The payloads in order."""
        return [json.loads(body)["data"] for body in self.bodies]

    async def append(self, batch, *, consume=()):
        assert not self._writing, "one append in flight"
        self._writing = True
        try:
            await self.gate.wait()
            await anyio.lowlevel.checkpoint()
            return self._take((list(batch), list(consume)), next(self.outcomes))
        finally:
            self._writing = False

    def _take(self, offered, outcome):
        assert self._unsure in (None, offered), "the same batch, and what it settles, before anything newer"
        batch, consume = offered
        written = self._unsure is not None and self.batches[-1:] == [batch]
        if not written and not self.messages.issuperset(consume):
            outcome = ValueError("Not pending.")
        if isinstance(outcome, Exception):
            self._unsure = None
            raise outcome
        if outcome != LOST and not written:
            self.batches.append(batch)
            self.messages -= set(consume)
            self.settled += consume
        self._unsure = offered if outcome is not None else None
        if outcome is not None:
            raise Unavailable("The disk is full.")
        return len(self.bodies)

    async def commit(self):
        self.commits += 1
        written = len(self.bodies)
        await self.disk.wait()
        if error := next(self.flushes):
            raise error
        self.durable = written

    async def records(self):
        for seq, body in enumerate(self.bodies, 1):
            yield Record(seq, 1, body)


async def gathered(*calls):
    """Begin calls in order, each before the first has ended; the error of each, or None."""
    errors = [None] * len(calls)

    async def one(n, call, *, task_status):
        task_status.started()  # `start` returns once this task has to wait
        try:
            await call
        except (KiroError, ValueError) as error:
            errors[n] = error

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            for n, call in enumerate(calls):
                await tasks.start(one, n, call)
    return errors


async def test_records_stand_in_the_order_of_the_calls_and_concurrent_ones_are_merged():
    db = Log()
    db.gate = anyio.Event()
    journal = Journal(db)

    async def release():
        db.gate.set()

    errors = await gathered(*(journal.event("n", n) for n in range(9)), release())
    assert errors == [None] * 10
    assert db.seen == list(range(9))
    assert [len(batch) for batch in db.batches] == [1, 8]


async def test_the_lines_of_a_chunk_are_one_append_and_stay_as_they_came():
    db = Log()
    lines = [b'{ "method":"session/update"}', b"junk", b'{"method":"\xff"}', b'{"method":"a"}},"kind":"question"']
    await Journal(db).updates([Frame.read(line) for line in lines])
    (batch,) = db.batches
    entries = [entry(Record(1, 1, body)) for body in batch]
    assert [item.kind for item in entries] == ["update", "noise", "update", "noise"]
    assert [item.frame.raw for item in entries] == lines
    assert all(item.at.endswith("Z") for item in entries)


async def test_messages_and_events_carry_their_turn():
    db = Log()
    journal = Journal(db)
    await journal.message("prompt", Frame.of("session/prompt", {"prompt": []}, id=1), "3.1")
    await journal.event("turn_ended", {"error": "no \ud83d", "n": float("nan")}, "3.1")
    prompt, ended = [entry(Record(1, 1, body)) for body in db.bodies]
    assert (prompt.kind, prompt.turn, prompt.frame.method) == ("prompt", "3.1", "session/prompt")
    assert (ended.kind, ended.turn, ended.value) == ("turn_ended", "3.1", {"error": "no \ufffd", "n": None})


async def test_an_outcome_is_durable_before_anybody_is_told():
    db = Log()
    journal = Journal(db)
    await journal.event("n", 0)
    assert db.durable == 0
    await journal.settled("n", 1)
    assert db.durable == 2


async def test_concurrent_commits_share_a_flush_and_where_nothing_is_new_there_is_none():
    db = Log()
    journal = Journal(db)
    await journal.commit()
    assert db.commits == 0
    await journal.event("n", 0)
    db.disk = anyio.Event()

    async def release():
        db.disk.set()

    # The first flush has begun when the others come, so theirs is another one; and one for all of them.
    await gathered(*(journal.commit() for _ in range(3)), *(journal.settled("n", n) for n in range(1, 9)), release())
    assert (db.commits, db.durable) == (2, 9)
    await journal.flush()
    await journal.commit()
    assert db.commits == 2


async def test_a_strict_journal_returns_when_the_record_is_durable_and_still_merges():
    db = Log()
    journal = Journal(db, strict=True)
    seen = []

    async def event(n):
        await journal.event("n", n)
        seen.append(db.durable > n)

    await event(0)
    db.disk = anyio.Event()

    async def release():
        db.disk.set()

    await gathered(*(event(n) for n in range(1, 20)), release())
    assert seen == [True] * 20
    assert db.commits <= 4
    before = db.commits
    await journal.settled("n", 20)
    assert db.commits == before + 1


async def test_a_flush_that_fails_reaches_a_strict_writer_and_the_record_is_not_written_twice():
    db = Log()
    db.flushes = chain([Unavailable("Input/output error.")], repeat(None))
    journal = Journal(db, strict=True)
    with pytest.raises(Unavailable):
        await journal.event("n", 0)
    assert journal.failing
    await journal.event("n", 1)
    assert not journal.failing
    assert (db.seen, db.durable) == ([0, 1], 2)


@pytest.mark.parametrize("outcome", [LOST, KEPT])
async def test_what_the_store_did_not_confirm_is_repeated_before_anything_newer(outcome):
    db = Log([outcome, outcome])
    journal = Journal(db)
    with pytest.raises(Unavailable):
        await journal.event("n", 0)
    with pytest.raises(Unavailable):
        await journal.event("n", 1)  # the repetition fails again, so this one was never tried
    await journal.event("n", 2)
    assert db.seen == [0, 1, 2]
    assert [len(batch) for batch in db.batches] == [1, 2]


async def test_a_message_that_was_not_even_tried_is_not_written_later():
    db = Log([LOST, LOST])
    journal = Journal(db)
    with pytest.raises(Unavailable):
        await journal.event("n", 0)
    with pytest.raises(Unavailable):
        await journal.message("prompt", Frame.of("n", []))  # who asked was refused
    await journal.flush()
    assert db.seen == [0]


@pytest.mark.parametrize("outcome", [LOST, KEPT])
async def test_what_nobody_waits_for_is_written_once_with_whatever_comes_next(outcome):
    db = Log([outcome, outcome])
    journal = Journal(db)
    journal.later("n", 0)
    with pytest.raises(Unavailable):
        await journal.event("n", 1)
    journal.later("n", 2)
    with pytest.raises(Unavailable):
        await journal.flush()
    journal.later("n", 3)
    await journal.flush()
    await journal.event("n", 4)
    assert db.seen == [0, 1, 2, 3, 4]


async def test_updates_without_room_are_counted_where_they_are_missing():
    large = Frame.of("n", ["x" * 400_000])
    db = Log([LOST] * 5)
    journal = Journal(db)
    for room in (True, True, False):
        assert journal.has_room(len(large.raw)) is room
        with pytest.raises(Unavailable):
            await (journal.updates([large]) if room else journal.flush())
    journal.unrecorded(2)
    journal.unrecorded(3)
    with pytest.raises(Unavailable):
        await journal.flush()
    journal.unrecorded(4)
    with pytest.raises(Unavailable):
        await journal.event("n", "behind")
    journal.unrecorded(5)
    await journal.flush()
    assert journal.has_room(len(large.raw))
    entries = [entry(Record(1, 1, body)) for body in db.bodies]
    assert [item.kind for item in entries] == ["update", "update", "unrecorded", "n", "unrecorded"]
    assert [item.value["updates"] for item in entries if item.kind == "unrecorded"] == [9, 5]


async def test_a_failing_store_is_told_once_until_everything_is_durable_again():
    told = []
    db = Log([LOST, LOST, None, None, LOST])
    db.flushes = chain([Unavailable("Input/output error.")], repeat(None))
    journal = Journal(db, failed=told.append)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await journal.event("n", 0)
    assert len(told) == 1
    await journal.event("n", 1)
    assert journal.failing
    with pytest.raises(Unavailable):
        await journal.commit()
    assert len(told) == 1
    await journal.commit()
    assert not journal.failing
    with pytest.raises(Unavailable):
        await journal.event("n", 2)
    assert len(told) == 2


@pytest.mark.parametrize("error", [Unavailable("Full."), Fenced("Gone."), ValueError("Not one line.")])
async def test_a_failure_reaches_everybody_whose_record_was_in_the_batch(error):
    db = Log([None, error])
    db.gate = anyio.Event()
    journal = Journal(db)

    async def release():
        db.gate.set()

    errors = await gathered(journal.event("n", 0), *(journal.event("n", n) for n in (1, 2, 3)), release())
    assert errors == [None, error, error, error, None]
    assert db.seen == [0]


@pytest.mark.parametrize("error", [Fenced("Gone."), ValueError("Not one line.")])
async def test_what_the_store_refused_is_never_repeated(error):
    db = Log([error])
    journal = Journal(db)
    with pytest.raises(type(error)):
        await journal.event("n", 0)
    await journal.event("n", 1)
    assert db.seen == [1]


@pytest.mark.parametrize("outcome", [None, LOST, KEPT])
async def test_a_record_settles_messages_together_with_its_own_batch_also_when_that_is_repeated(outcome):
    db = Log([outcome])
    journal = Journal(db)
    with nullcontext() if outcome is None else pytest.raises(Unavailable):
        await journal.event("read", 0, consume=["a", "c"])
    await journal.event("n", 1)
    assert db.seen == [0, 1]
    assert db.settled == ["a", "c"]


async def test_what_settles_a_message_that_is_not_pending_is_refused_alone():
    db = Log()
    db.gate = anyio.Event()
    journal = Journal(db)

    async def release():
        db.gate.set()

    reads = [journal.event("read", name, consume=[name]) for name in "axb"]
    errors = await gathered(journal.event("n", 0), journal.event("n", 1), *reads, journal.event("n", 2), release())
    assert [type(error) for error in errors[2:5]] == [type(None), ValueError, type(None)]
    assert [errors[i] for i in (0, 1, 5)] == [None] * 3
    assert db.seen == [0, 1, "a", "b", 2]
    assert db.settled == ["a", "b"]


async def test_a_record_whose_messages_were_settled_meanwhile_is_repeated_without_them():
    db = Log([LOST])
    journal = Journal(db)
    with pytest.raises(Unavailable):
        await journal.event("read", 0, consume=["a"])
    db._unsure = None
    db.messages.discard("a")
    await journal.event("n", 1)
    assert db.seen == [0, 1]


async def test_what_settles_messages_and_was_not_even_tried_is_not_written_later():
    db = Log([LOST, LOST])
    journal = Journal(db)
    with pytest.raises(Unavailable):
        await journal.event("n", 0)
    with pytest.raises(Unavailable):
        await journal.settled("read", 1, consume=["a"])
    await journal.flush()
    assert db.seen == [0]
    assert db.messages >= {"a"}


@pytest.mark.parametrize("cancelled", [0, 1, 2])
async def test_who_is_cancelled_takes_nobody_elses_record_along(cancelled):
    db = Log()
    db.gate = anyio.Event()
    journal = Journal(db)
    scopes = [anyio.CancelScope() for _ in range(4)]

    async def cancellable(n):
        with scopes[n]:
            await journal.event("n", n)

    async def cancel():
        scopes[cancelled].cancel()

    async def release():
        db.gate.set()

    assert await gathered(*(cancellable(n) for n in range(4)), cancel(), release()) == [None] * 6
    await journal.event("n", 4)
    assert [n for n in db.seen if n != cancelled] == [n for n in range(5) if n != cancelled]
    assert db.seen == sorted(set(db.seen))


@given(
    st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=4), max_size=8),
    st.lists(st.sampled_from([None, None, LOST, KEPT]), max_size=20),
)
@settings(max_examples=max(200, settings().max_examples))
async def test_the_log_is_what_was_acknowledged_in_order_and_the_rest_whole_or_absent(groups, outcomes):
    db = Log(outcomes)
    journal = Journal(db)
    acknowledged, number = [], 0
    for group in groups:
        calls = [[Frame.of("n", [number + n, size]) for _ in range(size)] for n, size in enumerate(group)]
        number += len(group)
        errors = await gathered(*(journal.updates(frames) for frames in calls))
        assert {type(error) for error in errors} <= {type(None), Unavailable}
        acknowledged += [frames[0].body["params"] for frames, error in zip(calls, errors, strict=True) if not error]
    seen = [data["params"] for data in db.seen]
    assert seen == sorted(seen)
    assert all(seen.count(call) == call[1] for call in seen)
    assert [call for call in acknowledged if call not in seen] == []


# The record read back.


def update(kind, **fields):
    params = {"sessionId": "theirs", "update": {"sessionUpdate": kind, **fields}}
    return Frame.of("session/update", params)


async def replayed(db, head=10**9):
    return [frame async for frame in conversation(db.records(), SESSION, head)]


def kinds(frames):
    return [frame.params["update"]["sessionUpdate"] for frame in frames]


async def test_a_conversation_is_what_was_said_and_done_and_nothing_else():
    db = Log()
    journal = Journal(db)
    blocks = [{"type": "text", "text": "do \ud83d"}, {"type": "image", "data": ""}]
    prompt = b'{"id":1,"method":"session/prompt","params":{"sessionId":"ours","prompt":%b}}'
    await journal.event("opened", {"prompt": [{"type": "text"}]})
    await journal.message("prompt", Frame.read(prompt % json.dumps(blocks).encode()), "1.1")
    await journal.event("turn_begun", {}, "1.1")
    await journal.updates(
        [
            update("user_message_chunk", content=blocks[0]),
            update("agent_thought_chunk", content={}),
            update("usage_update", used=1),
            update("available_commands_update", availableCommands=[]),
            update("current_mode_update", currentModeId="x"),
            update("config_option_update", configOptions=[]),
            update("session_info_update", title="x"),
            update("notice", title="x"),
            Frame.of("_kiro.dev/metadata", {"sessionId": "theirs", "update": {"sessionUpdate": "plan"}}),
            Frame.read(b"junk"),
            update("never_heard_of", anything=[1]),
            Frame.read(b'{"method":"session/update"}'),
            Frame.read(b'{"method":"session/update","params":{"update":5}}'),
            Frame.read(b'{"method":"session/update","params":{"update":{"sessionUpdate":[]}}}'),
        ]
    )
    await journal.message("question", Frame.of("session/request_permission", {"sessionId": "theirs"}, id=1))
    await journal.event("a_kind_of_the_future", {"method": "session/update", "params": {"update": {}}})
    frames = await replayed(db)
    assert kinds(frames) == ["user_message_chunk"] * 2 + ["agent_thought_chunk", "never_heard_of"]
    assert [frame.session for frame in frames] == [SESSION] * 4
    blocks[0]["text"] = "do \ufffd"
    assert [frame.params["update"]["content"] for frame in frames[:2]] == blocks


@pytest.mark.parametrize("prompt", [b"5", b"null", b'"text"', b"{}", b'[5,null,"x"]'])
async def test_a_prompt_that_is_none_makes_no_session_unreadable(prompt):
    db = Log()
    journal = Journal(db)
    await journal.message("prompt", Frame.read(b'{"id":1,"method":"session/prompt","params":{"prompt":%b}}' % prompt))
    await journal.updates([update("plan", entries=[])])
    assert kinds(await replayed(db))[-1] == "plan"


async def test_a_tool_call_that_never_ended_is_closed_as_failed():
    db = Log()
    calls = [
        update("tool_call", toolCallId="done"),
        update("tool_call", toolCallId="open", status="in_progress"),
        update("tool_call_update", toolCallId="done", status="completed"),
        update("tool_call", toolCallId="failed"),
        update("tool_call", toolCallId="at once", status="completed"),
        update("tool_call", toolCallId=7),
        update("tool_call_update", toolCallId="never announced", status="pending"),
        update("tool_call_update", toolCallId="failed", status="failed"),
        update("tool_call_update", toolCallId="open", status=[]),
    ]
    await Journal(db).updates(calls)
    *as_recorded, closing = await replayed(db)
    assert [frame.raw for frame in as_recorded] == [call.with_session(SESSION).raw for call in calls]
    assert closing.params == {
        "sessionId": SESSION,
        "update": {"sessionUpdate": "tool_call_update", "toolCallId": "open", "status": "failed"},
    }


async def test_a_tool_call_of_a_running_turn_stays_open():
    db = Log()
    await Journal(db).updates([update("tool_call", toolCallId="open")])
    frames = [frame async for frame in conversation(db.records(), SESSION, 1, running=True)]
    assert kinds(frames) == ["tool_call"]


async def test_a_conversation_ends_at_its_head_and_closes_what_it_reads():
    db = Log()
    await Journal(db).updates([update("plan", n=n) for n in range(5)])
    records = db.records()
    frames = [frame async for frame in conversation(records, SESSION, 3)]
    assert [frame.params["update"]["n"] for frame in frames] == [0, 1, 2]
    with pytest.raises(StopAsyncIteration):
        await anext(records)


@pytest.mark.parametrize(
    "text", [rb'"\ud83d \"sessionId\":\"theirs\""', b'"\xff\xed\xa0\x80"', b"NaN", b"1" * 5000, b"1e999"]
)
async def test_what_was_recorded_is_replayed_byte_for_byte_but_for_the_session(text):
    line = b'{"jsonrpc":"2.0", "method" : "session/update","params":{"x":{"sessionId":"theirs"},"sessionId":%b,'
    line += b'"update":{"sessionUpdate":"plan","x":%b}}}' % text
    db = Log()
    await Journal(db).updates([Frame.read(line % b'"theirs"')])
    assert [frame.raw for frame in await replayed(db)] == [line % b'"ours"']


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"at":"x"}',
        b'{"at":"x","kind":"update","raw_b64":"?"}',
        b'{"at":"x","kind":"update","data":' + b"[" * 9999 + b"]" * 9999 + b"}",
        b'{"at":"x","kind":"\xff"}',
    ],
)
def test_a_record_that_cannot_be_read_is_named(body):
    with pytest.raises(RecordInvalid, match="Record 7 cannot be read"):
        entry(Record(7, 1, body))


class Prompt(Log):
    """The same, which writes without a wait."""

    async def append(self, batch, *, consume=()):
        return await super().append(batch, consume=consume)

    def append_nowait(self, batch):
        return self._take((list(batch), []), next(self.outcomes))


async def test_a_store_that_needs_no_waiting_has_an_update_written_and_shown_at_once():
    db, shown = Prompt(), []
    journal = Journal(db, published=lambda seq, items: shown.append((seq, *items)))
    with pytest.raises(StopIteration):
        journal.updates([Frame.of("session/update", {"n": 1})], ["one"]).send(None)
    assert shown == [(1, "one")]


@pytest.mark.parametrize("outcome", [LOST, KEPT])
async def test_what_a_store_without_waiting_did_not_take_goes_out_before_anything_newer(outcome):
    db = Prompt([outcome, outcome])
    journal = Journal(db)
    for number in range(4):
        with nullcontext() if number > 1 else pytest.raises(Unavailable):
            await journal.event("n", number)
    assert db.seen == [0, 1, 2, 3]


async def test_whoever_overrides_how_records_are_appended_is_not_passed_by():
    class Wrapped(Prompt):
        async def append(self, batch, *, consume=()):
            self.asked = True
            return await super().append(batch, consume=consume)

    db = Wrapped()
    await Journal(db).event("n", 1)
    assert db.asked
