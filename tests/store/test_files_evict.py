"""Who holds a session in files is ended on demand: that very process, and never another one."""

import os
import signal
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import anyio
import msgspec
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from kiro_core.errors import Held, SessionNotFound
from kiro_core.processes import mark_of
from kiro_core.testing.store_samples import records, session, stored
from kiro_files import FilesOptions, open_store
from kiro_files.owner import encode_owner, read_owner

OWNER = """
import os, signal, sys
import anyio
from kiro_core.types import Contact
from kiro_files import FilesOptions, open_store

if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

async def main(root, session):
    async with open_store(FilesOptions(root=root)) as store, store.open(session, Contact("acp", "/run/x")) as db:
        await db.append([b'{"n":1}'])
        print("held", flush=True)
        for line in sys.stdin:
            try:
                await db.append([b'{"late":1}'])
                await db.put_info(db.info)
                print("written", flush=True)
            except Exception as error:
                print(error.code, flush=True)

anyio.run(main, *sys.argv[1:3])
"""


class Owner:
    """Another process that holds a session."""

    def __init__(self, process):
        self.process, self.pid = process, process.pid
        self._told = BufferedByteReceiveStream(process.stdout)

    async def told(self):
        return (await self._told.receive_until(b"\n", 1000)).decode()

    async def write(self):
        """Let it write; what came of it."""
        await self.process.stdin.send(b"\n")
        return await self.told()


@asynccontextmanager
async def owner(root, session, *how):
    arguments = [sys.executable, "-c", OWNER, str(root), session, *how]
    with anyio.fail_after(60):
        async with await anyio.open_process(arguments, stderr=None) as process:
            try:
                one = Owner(process)
                assert await one.told() == "held"
                yield one
            finally:
                with suppress(ProcessLookupError):
                    process.kill()


def signed(root, session, **changes):
    """Let the lock file say something else of its owner."""
    lock = root / f"{session}.lock"
    found = read_owner(lock)
    for field, value in changes.items():
        setattr(found, field, value)
    lock.write_bytes(encode_owner(found))


async def test_the_owner_is_asked_to_end_and_the_session_is_free(store, root):
    info = await stored(store)
    async with owner(root, info.id) as other:
        told = await store.evict(info.id, 20)
        assert (told["pid"], told["face"], told["socket"], told["epoch"]) == (other.pid, "acp", "/run/x", 2)
        assert msgspec.json.decode(msgspec.json.encode(told)) == told
        assert await other.process.wait() == -signal.SIGTERM
        async with store.open(info.id) as db:
            assert (db.epoch, db.head) == (3, 1)


@pytest.mark.parametrize("how", ["deaf", "stopped"])
async def test_an_owner_that_does_not_end_when_asked_is_killed_and_a_stopped_one_ends(store, root, how):
    info = await stored(store)
    async with owner(root, info.id, how) as other:
        if how == "stopped":
            other.process.send_signal(signal.SIGSTOP)
        assert (await store.evict(info.id, 0.5 if how == "deaf" else 20))["pid"] == other.pid
        assert await other.process.wait() == -(signal.SIGKILL if how == "deaf" else signal.SIGTERM)
        async with store.open(info.id):
            pass


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("boot", "another machine"),
        ("boot", ""),
        ("namespace", "pid:[1]"),
        ("started", "1"),
        ("pid", 2**22 + 1),
        ("pid", 0),
    ],
)
async def test_an_owner_that_is_not_proven_is_left_alone(store, root, monkeypatch, field, value):
    monkeypatch.setattr("kiro_files.evicting._SIGNING_S", 0.1)
    info = await stored(store)
    async with owner(root, info.id) as other:
        signed(root, info.id, **{field: value})
        with pytest.raises(Held, match="nothing proves") as refused:
            await store.evict(info.id, 1)
        assert refused.value.hint
        assert await other.write() == "written"


async def test_a_pid_that_another_process_has_now_is_not_ended_and_does_not_keep_the_session(store, root):
    info = await stored(store)
    async with await anyio.open_process(["sleep", "60"]) as innocent:
        signed(root, info.id, pid=innocent.pid, started=str(int(mark_of(innocent.pid).started) - 1))
        assert await store.evict(info.id, 1) == {}
        async with store.open(info.id):
            pass
        assert innocent.returncode is None
        innocent.kill()


async def test_an_owner_whose_lock_file_was_removed_is_not_proven_and_keeps_the_log(store, root, monkeypatch):
    info = await stored(store)
    async with owner(root, info.id) as other:
        (root / f"{info.id}.lock").unlink()
        with pytest.raises(Held, match="another process"):
            await store.evict(info.id, 1)
        assert other.process.returncode is None


async def test_a_new_owner_that_has_not_signed_yet_is_waited_for(store, root):
    """Between its locks and its record, the record is that of a process that has ended."""
    info = await stored(store)
    async with owner(root, info.id) as other:
        ended = await anyio.run_process([sys.executable, "-c", "import os; print(os.getpid())"])
        signed(root, info.id, pid=int(ended.stdout), started="1")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self_ended, other)
            assert await store.evict(info.id, 20) == {}


async def self_ended(other):
    await anyio.wait_all_tasks_blocked()
    other.process.terminate()


async def test_a_stopped_owner_keeps_its_session_and_goes_on(store, root):
    info = await stored(store)
    async with owner(root, info.id) as other:
        other.process.send_signal(signal.SIGSTOP)
        with pytest.raises(Held, match=f"pid {other.pid}") as refused:
            await store.open(info.id).__aenter__()
        assert f"sessions takeover {info.id} --force" in refused.value.hint
        other.process.send_signal(signal.SIGCONT)
        assert await other.write() == "written"
        assert other.process.returncode is None


async def test_who_was_stopped_while_its_files_were_taken_away_writes_nothing_when_it_goes_on(store, root):
    info = await stored(store)
    async with owner(root, info.id) as other:
        other.process.send_signal(signal.SIGSTOP)
        for kind in ("lock", "jsonl"):
            (root / f"{info.id}.{kind}").unlink()
        async with store.open(info.id) as db:
            await db.append([b'{"n":2}'])
            await db.put_info(replace(db.info, title="new"))
            other.process.send_signal(signal.SIGCONT)
            assert await other.write() == "SESSION_FENCED"
            await db.append([b'{"n":3}'])
        assert [record.body for record in await records(store, info.id)] == [b'{"n":2}', b'{"n":3}']
        assert (await store.get(info.id)).title == "new"


async def test_an_unknown_session_has_nobody_to_be_evicted(store, root):
    with pytest.raises(SessionNotFound):
        await store.evict(session().id, 1)
    assert not root.exists()


async def test_files_that_were_copied_to_another_machine_are_a_session_there(store, root, tmp_path):
    info = session()
    async with store.create(info) as db:
        await db.append([b'{"n":1}', b'{"n":2}'])
        await db.commit()
        there = tmp_path / "there"
        there.mkdir()
        for file in root.glob(f"{info.id}.*"):
            (there / file.name).write_bytes(file.read_bytes())
    signed(there, info.id, boot="of that machine", host="that machine", pid=os.getpid())
    async with open_store(FilesOptions(root=there)) as other:
        assert not (await other.verify(info.id)).findings
        async with other.open(info.id) as db:
            assert (db.epoch, db.head, db.info) == (2, 2, info)
            await db.append([b'{"n":3}'])
        assert len(await records(other, info.id)) == 3
        (there / f"{info.id}.lock").unlink()
        async with other.open(info.id) as db:
            assert db.epoch == 3
