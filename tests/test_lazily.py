"""Events and locks without memory until somebody waits do what those of anyio do."""

import anyio
from anyio.lowlevel import checkpoint

from kiro_core.lazily import LazyEvent, LazyLock


async def test_an_event_wakes_who_waits_and_who_comes_later():
    event, woken = LazyEvent(), []

    async def wait(name):
        await event.wait()
        woken.append(name)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait, "one")
            tasks.start_soon(wait, "two")
            await anyio.wait_all_tasks_blocked()
            assert (event.is_set(), woken, event.statistics().tasks_waiting) == (False, [], 2)
            event.set()
        await event.wait()
    assert event.is_set()
    assert sorted(woken) == ["one", "two"]


async def test_a_lock_lets_one_in_after_the_other_in_their_order_and_past_one_that_was_cancelled():
    lock, inside, came = LazyLock(), [], []

    async def enter(name, scope):
        with scope:
            async with lock:
                inside.append(name)
                assert len(inside) == 1
                came.append(name)
                await checkpoint()
                inside.remove(name)

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks, lock:
            scopes = {name: anyio.CancelScope() for name in ("one", "two", "three")}
            for name, scope in scopes.items():
                tasks.start_soon(enter, name, scope)
                await anyio.wait_all_tasks_blocked()
            scopes["two"].cancel()
            await anyio.wait_all_tasks_blocked()
        async with lock:
            came.append("last")
    assert came == ["one", "three", "last"]
