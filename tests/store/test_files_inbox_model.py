"""Whatever is put, settled, cut off by a loss of power and put again: each message is pending, or in one record."""

import json
import shutil
import sys
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.errors import InboxFull
from kiro_core.testing.store_samples import records, session
from kiro_files import FilesOptions, open_store

MOST = 6
"""As many messages as an inbox of these tests takes."""

NAMES = st.sampled_from([f"{letter}{number}" for letter in "abc" for number in range(4)])
STEP = st.one_of(
    st.tuples(st.just("put"), NAMES),
    st.tuples(st.just("settle"), st.sets(st.integers(0, MOST - 1), min_size=1, max_size=3)),
    st.tuples(st.just("write"), st.integers(0, 400)),
    st.tuples(st.sampled_from(["commit", "reopen"]), st.none()),
    st.tuples(st.just("lose_power"), st.floats(0, 1)),
    st.tuples(st.just("tear"), st.integers(1, 60)),
)


class Model:
    """What must be there: messages in order of arrival, and the batches that settled some of them.

    What a batch has settled counts for good once it was committed.
    """

    def __init__(self):
        self.arrived = []
        self.batches = []

    @property
    def settled(self):
        return [name for _, names in self.batches for name in names]

    @property
    def pending(self):
        return [name for name in self.arrived if name not in self.settled]


class Play:
    """Plays steps on a store, and holds what it finds against the model."""

    def __init__(self, root):
        self._root = root
        self._info = session()
        self._model = Model()
        self._stack = AsyncExitStack()
        self._lives = 0
        self._durable = 0

    async def play(self, steps):
        async with self._stack:
            await self._begin()
            for verb, value in [*steps, ("reopen", None)]:
                await getattr(self, f"_{verb}")(*() if value is None else (value,))
                assert [message.id for message in await self._db.pending()] == self._model.pending
            found = [json.loads(record.body) for record in await records(self._store, self._info.id)]
            assert [name for body in found for name in body["took"]] == self._model.settled

    @property
    def _folder(self):
        return self._root / str(self._lives)

    def _file(self, kind):
        return self._folder / f"{self._info.id}.{kind}"

    async def _begin(self):
        self._store = await self._stack.enter_async_context(open_store(FilesOptions(root=self._folder)))
        exists = self._file("json").exists()
        hold = self._store.open(self._info.id) if exists else self._store.create(self._info)
        self._db = await self._stack.enter_async_context(hold)

    async def _put(self, name):
        model = self._model
        if name not in model.arrived and len(model.pending) == MOST:
            with pytest.raises(InboxFull):
                await self._store.put(self._info.id, name, b"{}")
            return
        assert await self._store.put(self._info.id, name, b"{}") is (name not in model.arrived)
        model.arrived += [name] * (name not in model.arrived)

    async def _settle(self, places):
        pending = self._model.pending
        names = [pending[place] for place in places if place < len(pending)]
        body = json.dumps({"took": names}).encode()
        await self._db.append([b'{"took":[]}', body], consume=names)
        self._model.batches.append((self._file("jsonl").stat().st_size, names))

    async def _write(self, size):
        await self._db.append([b'{"took":[],"pad":"%b"}' % (b"x" * size)])

    async def _commit(self):
        await self._db.commit()
        self._durable = self._file("jsonl").stat().st_size

    async def _reopen(self):
        await self._stack.aclose()
        await self._begin()

    async def _tear(self, size):
        """Somebody is killed while it puts a message."""
        with self._file("inbox").open("ab") as inbox:
            inbox.write(b'{"format":1,"id":"torn","at":"","body":{"pad":"................"}}'[:size])

    async def _lose_power(self, part):
        """Of what was not committed, some is lost."""
        before, size = self._folder, self._file("jsonl").stat().st_size
        self._lives += 1
        self._folder.mkdir()
        for kind in ("json", "inbox", "jsonl"):
            if (before / f"{self._info.id}.{kind}").exists():
                shutil.copy(before / f"{self._info.id}.{kind}", self._folder)
        cut = self._durable + int(part * (size - self._durable))
        with self._file("jsonl").open("ab") as log:
            log.truncate(cut)
        self._model.batches = [batch for batch in self._model.batches if batch[0] <= cut]
        await self._stack.aclose()
        await self._begin()


@given(steps=st.lists(STEP, max_size=30))
def test_whatever_happens_a_message_is_pending_or_in_the_one_record_that_settled_it(steps):
    with TemporaryDirectory() as root, pytest.MonkeyPatch.context() as small:
        small.setattr("kiro_files.putting.INBOX_MESSAGES", MOST)
        small.setattr("kiro_files.inbox.ROOM", 200)
        small.setattr("kiro_files.settling.FAR", 1000)
        anyio.run(Play(Path(root)).play, steps)


PUTTER = """
import sys
import anyio
from kiro_core.errors import InboxFull
from kiro_files import FilesOptions, open_store

async def main(root, session, name):
    async with open_store(FilesOptions(root=root)) as store:
        for number in range(60):
            while True:
                try:
                    assert await store.put(session, f"{name} {number}", b"{}")
                    assert not await store.put(session, f"{name} {number}", b"{}")
                    break
                except InboxFull:
                    pass

anyio.run(main, *sys.argv[1:])
"""


async def test_what_several_processes_put_is_settled_once_each_in_the_order_of_its_sender(store, root, monkeypatch):
    monkeypatch.setattr("kiro_files.inbox.ROOM", 2000)
    info, settled = session(), []

    async def put(name, done):
        await anyio.run_process([sys.executable, "-c", PUTTER, str(root), info.id, name], stderr=None)
        done.set()
        store.wake(info.id)

    async with store.create(info) as db:
        with anyio.fail_after(120):
            async with anyio.create_task_group() as tasks:
                done = [anyio.Event() for _ in range(3)]
                for number, event in enumerate(done):
                    tasks.start_soon(partial(put, str(number), event))
                while not all(event.is_set() for event in done) or await db.pending():
                    names = [message.id for message in await db.pending()]
                    if names:
                        await db.append([json.dumps({"took": names}).encode()], consume=names)
                        await db.commit()
                    await anyio.lowlevel.checkpoint()
    for record in await records(store, info.id):
        settled += json.loads(record.body)["took"]
    for sender in range(3):
        assert [name for name in settled if name.startswith(f"{sender} ")] == [f"{sender} {n}" for n in range(60)]
    assert len(settled) == 180
    async with store.open(info.id) as db:
        assert not await db.pending()
