"""A session in files is free as soon as its owner is dead, whatever lives on of it."""

import os
import signal
import sys
from contextlib import asynccontextmanager, suppress

import anyio
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from kiro_core.errors import Held
from kiro_core.testing.store_samples import stored

OWNER = """
import os, subprocess, sys
import anyio
from kiro_files import FilesOptions, open_store

def alone():
    print(os.getpid(), flush=True)

def with_a_program():
    child = subprocess.Popen(["sleep", "60"], close_fds=False, stdout=subprocess.DEVNULL)
    print(child.pid, flush=True)

def with_a_forked_child():
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        os.close(1)
        while True:
            os.read(0, 1)

async def main(how, root, session):
    async with open_store(FilesOptions(root=root)) as store, store.open(session) as db:
        await db.append([b"{}"])
        globals()[how]()
        await anyio.sleep_forever()

anyio.run(main, *sys.argv[1:])
"""


@asynccontextmanager
async def owner(how, root, session):
    """Another process that holds the session, and the pid that it tells."""
    arguments = [sys.executable, "-c", OWNER, how, str(root), session]
    with anyio.fail_after(30):
        async with await anyio.open_process(arguments, stderr=None) as process:
            told = process.pid
            try:
                told = int(await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 100))
                yield process, told
            finally:
                for pid in (process.pid, told):
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)


async def test_a_killed_owner_frees_its_session_at_once(store, root):
    info = await stored(store)
    async with owner("alone", root, info.id) as (process, pid):
        with pytest.raises(Held, match=f"pid {pid} on {os.uname().nodename} since 20") as refused:
            await store.open(info.id).__aenter__()
        assert refused.value.details["owner"]["pid"] == pid
        process.kill()
        await process.wait()
        async with store.open(info.id) as db:
            assert db.epoch == 3
            assert db.head == 1


@pytest.mark.parametrize("how", ["with_a_program", "with_a_forked_child"])
async def test_a_child_that_outlives_the_owner_does_not_keep_the_session(store, root, how):
    info = await stored(store)
    async with owner(how, root, info.id) as (process, child):
        with pytest.raises(Held):
            await store.open(info.id).__aenter__()
        process.kill()
        await process.wait()
        async with store.open(info.id):
            os.kill(child, 0)
