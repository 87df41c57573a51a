"""Who waits for a session that somebody holds is woken when it is free, and leaves nothing behind."""

import os
import signal
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
import pytest

from kiro_core.errors import Held, Unavailable
from kiro_core.testing.store_samples import stored
from kiro_core.types import NO_CONTACT
from kiro_files import waiting
from kiro_files.owner import this_process


@pytest.fixture
def waiters(monkeypatch):
    """The processes that were started to wait."""
    started = []
    start = waiting._start

    def noted(lock):
        started.append(start(lock))
        return started[-1]

    monkeypatch.setattr(waiting, "_start", noted)
    return started


@asynccontextmanager
async def waiting_for(store, session):
    """An event that is set when the store says that the session is free."""
    told = anyio.Event()

    async def wait():
        await store.freed(session)
        told.set()

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            yield told
            tasks.cancel_scope.cancel()


async def test_a_session_that_nobody_holds_is_free_at_once(store):
    info = await stored(store)
    with anyio.fail_after(30):
        await store.freed(info.id)


async def test_several_who_wait_are_all_told_when_the_owner_leaves(store, waiters):
    info = await stored(store)
    async with AsyncExitStack() as waits:
        async with store.open(info.id):
            told = [await waits.enter_async_context(waiting_for(store, info.id)) for _ in range(2)]
            while len(waiters) < len(told):
                await anyio.lowlevel.checkpoint()
        for one in told:
            await one.wait()
    async with store.open(info.id):
        pass


async def test_who_stops_waiting_leaves_no_process(store, waiters):
    info = await stored(store)
    async with store.open(info.id):
        async with waiting_for(store, info.id) as told:
            while not waiters:
                await anyio.lowlevel.checkpoint()
        assert not told.is_set()
        assert waiters[0].returncode == -signal.SIGKILL


async def test_a_waiter_that_cannot_wait_is_no_sign_that_the_session_is_free(store, monkeypatch):
    info = await stored(store)
    monkeypatch.setattr(waiting, "_WAITER", "raise SystemExit")
    async with store.open(info.id):
        with pytest.raises(Unavailable, match="Nothing tells when"):
            await store.freed(info.id)


async def test_the_owner_is_told_with_its_program_and_that_it_is_here(store, monkeypatch):
    monkeypatch.setattr("sys.argv", ["/somewhere/bin/kiro-core", "run", "--session", "secret"])
    info = await stored(store)
    async with store.open(info.id):
        with pytest.raises(Held, match="held by `kiro-core run`, pid") as refused:
            await store.open(info.id).__aenter__()
    owner = refused.value.details["owner"]
    assert (owner["program"], owner["pid"], owner["here"]) == ("kiro-core run", os.getpid(), True)


@pytest.mark.parametrize(
    ("field", "value"),
    [("boot", "another"), ("namespace", "pid:[1]"), ("started", "1"), ("pid", 2**22 + 1), ("boot", "")],
)
async def test_a_process_of_another_machine_or_time_is_not_here(store, monkeypatch, field, value):
    def signed(epoch, contact):
        owner = this_process(epoch, contact)
        setattr(owner, field, value)
        return owner

    monkeypatch.setattr("kiro_files.lease.this_process", signed)
    info = await stored(store)
    async with store.open(info.id):
        with pytest.raises(Held) as refused:
            await store.open(info.id).__aenter__()
    assert refused.value.details["owner"]["here"] is False


@pytest.mark.parametrize(
    ("argv", "program"), [(["-c"], ""), (["x/app", "--token=1"], "app"), ([""], ""), (["a\nb", "run"], ""), ([], "")]
)
def test_a_program_is_called_by_its_name_and_never_by_an_option(monkeypatch, argv, program):
    monkeypatch.setattr("sys.argv", argv)
    assert this_process(1, NO_CONTACT).program == program
