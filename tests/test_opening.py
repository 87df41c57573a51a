"""Backends that hang, fail or are none: each opens and closes in bounded time, or the sentence says who failed."""

import math
from contextlib import asynccontextmanager, suppress

import anyio
import anyio.lowlevel
import pytest
from pydantic import BaseModel, field_validator

from kiro_core.catalog import USUAL, Catalog, Choice, Entry, PluginInfo, Within
from kiro_core.errors import Held, PluginError
from kiro_core.ports import SessionStore, ToolServer, Wire
from kiro_core.provider import Provider
from kiro_core.settings import load_settings
from kiro_core.testing import MemoryStore

PLUGIN = PluginInfo("acme", "acme-store", "1.2")
OPENS, CLOSES = Within(0.05, 10), Within(10, 0.05)
"""With little patience for the one and enough for the other."""


def catalog(opened, ports=(), options=None):
    """One with the store `pg`, whose `open` is that."""
    return Catalog("store", {"pg": Entry(Provider("pg", opened, options), PLUGIN)}, ports=ports)


@asynccontextmanager
async def opening(opened, within=USUAL, ports=()):
    """The store whose `open` is that; nothing here takes longer than ten seconds."""
    with anyio.fail_after(10):
        async with catalog(opened, ports).open(Choice("pg"), within) as backend:
            yield backend


@asynccontextmanager
async def quick(_):
    yield "open"


@asynccontextmanager
async def slow_to_close(_):
    try:
        yield
    finally:
        await anyio.sleep_forever()


def test_the_bounds_of_who_has_no_settings_are_those_of_the_settings():
    assert load_settings().limits.backends == USUAL


async def test_one_that_hangs_is_cancelled_and_told_with_its_name_and_the_seconds():
    left = []

    @asynccontextmanager
    async def hanging(_):
        try:
            await anyio.sleep_forever()
            yield
        finally:
            left.append("left")

    with pytest.raises(PluginError) as caught:
        async with opening(hanging, OPENS):
            pytest.fail("it is not open")
    assert str(caught.value) == "Store 'pg' (acme-store 1.2) has not opened within 0.05 s."
    assert left == ["left"]


async def test_one_that_is_ready_although_it_was_cancelled_is_too_late():
    @asynccontextmanager
    async def stubborn(_):
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            yield

    with pytest.raises(PluginError, match=r"has not opened within 0\.05 s\."):
        async with opening(stubborn, OPENS):
            pytest.fail("it is not open")


async def test_the_block_has_no_deadline_and_no_shield():
    async with catalog(quick).open(Choice("pg")):
        assert anyio.current_effective_deadline() == math.inf
    with anyio.move_on_after(0.05) as outer:
        async with opening(quick):
            await anyio.sleep_forever()
    assert outer.cancelled_caught


async def test_a_backend_has_tasks_and_scopes_of_its_own_around_the_block():
    @asynccontextmanager
    async def busy(_):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            yield tasks
            tasks.cancel_scope.cancel()

    async with opening(busy) as tasks:
        ran = anyio.Event()
        tasks.start_soon(ran.wait)
        ran.set()


@pytest.mark.parametrize("error", [ZeroDivisionError("x"), Held("It is held."), ExceptionGroup("two", [OSError()])])
async def test_what_the_block_raises_comes_out_as_it_is(error):
    with pytest.raises(type(error)) as caught:
        async with opening(quick):
            raise error
    assert caught.value is error


@asynccontextmanager
async def mute(_):
    with suppress(BaseException):
        yield


@asynccontextmanager
async def with_tasks(_):
    async with anyio.create_task_group() as tasks:
        yield tasks


@asynccontextmanager
async def failing_over(_):
    try:
        yield
    finally:
        raise OSError("disk on fire")


@pytest.mark.parametrize("opened", [mute, with_tasks, failing_over])
@pytest.mark.parametrize("error", [ZeroDivisionError("x"), Held("It is held."), SystemExit(3)])
async def test_what_the_block_raises_comes_out_whatever_the_backend_makes_of_it(opened, error, caplog):
    with pytest.raises(type(error)) as caught:
        async with opening(opened):
            raise error
    assert caught.value is error
    told = "Store 'pg' (acme-store 1.2) failed behind another failure: OSError: disk on fire."
    assert (told in caplog.text) is (opened is failing_over)


async def test_what_a_task_of_the_backend_raises_is_told_as_its_failure():
    @asynccontextmanager
    async def losing(_):
        async def lose():
            raise OSError("the line is dead")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lose)
            yield

    with pytest.raises(PluginError) as caught:
        async with opening(losing):
            await anyio.sleep_forever()
    assert str(caught.value) == "Store 'pg' (acme-store 1.2) has failed: OSError: the line is dead."
    assert isinstance(caught.value.__cause__, OSError)


async def test_a_backend_that_cancels_the_block_of_itself_is_told():
    async def cancelled_by_it():
        async with opening(with_tasks) as tasks:
            tasks.cancel_scope.cancel()
            await anyio.sleep_forever()

    with pytest.raises(PluginError) as caught:
        await cancelled_by_it()
    assert str(caught.value) == "Store 'pg' (acme-store 1.2) has failed: it has cancelled what uses it."
    assert caught.value.hint


async def test_one_that_does_not_close_is_cut_off_and_told():
    with pytest.raises(PluginError) as caught:
        async with opening(slow_to_close, CLOSES):
            pass
    assert str(caught.value) == "Store 'pg' (acme-store 1.2) has not closed within 0.05 s."


async def test_what_the_block_raised_is_told_also_where_the_backend_does_not_close(caplog):
    with pytest.raises(ZeroDivisionError):
        async with opening(slow_to_close, CLOSES):
            raise ZeroDivisionError
    assert "Store 'pg' (acme-store 1.2) has not closed within 0.05 s." in caplog.text


async def test_closing_is_shielded_and_bounded_and_a_cancelled_block_stays_cancelled():
    closed = []

    @asynccontextmanager
    async def careful(_):
        try:
            yield
        finally:
            await anyio.wait_all_tasks_blocked()
            closed.append("in order")

    for opened, within in ((careful, USUAL), (slow_to_close, CLOSES), (mute, USUAL), (with_tasks, USUAL)):
        with anyio.CancelScope() as outer:
            async with opening(opened, within):
                outer.cancel()
                await anyio.sleep_forever()
            pytest.fail("it goes on although it was cancelled")
        assert outer.cancelled_caught
    assert closed == ["in order"]


@asynccontextmanager
async def never(_):
    if False:
        yield


@asynccontextmanager
async def twice(_):
    yield
    yield


@asynccontextmanager
async def failing(_):
    async with anyio.create_task_group():
        raise OSError("disk on fire")
    yield


@asynccontextmanager
async def failing_later(_):
    yield
    raise OSError("disk on fire")


@asynccontextmanager
async def ending(_):
    async with anyio.create_task_group():
        raise SystemExit("bad licence")
    yield


@pytest.mark.parametrize(
    ("opened", "reason"),
    [
        (ending, "opened: SystemExit: bad licence."),
        (never, "opened: its `open` yields nothing."),
        (twice, "closed: its `open` yields twice."),
        (failing, "opened: OSError: disk on fire."),
        (failing_later, "closed: OSError: disk on fire."),
        (lambda: quick(None), "opened: TypeError: <lambda>() takes 0 positional arguments but 1 was given."),
        (lambda _: anyio.lowlevel.checkpoint(), "opened: its `open` gave a coroutine."),
    ],
)
async def test_whatever_it_raises_is_told_as_its_own_failure(opened, reason):
    with pytest.raises(PluginError) as caught:
        async with opening(opened):
            pass
    assert str(caught.value) == f"Store 'pg' (acme-store 1.2) cannot be {reason}"
    assert caught.value.hint


async def test_its_own_sentence_is_told_as_it_is_and_the_cause_of_any_other_is_chained():
    @asynccontextmanager
    async def told(_):
        async with anyio.create_task_group():
            raise Held("Somebody else has it.")
        yield

    with pytest.raises(Held, match=r"Somebody else has it\."):
        async with opening(told):
            pytest.fail("it is not open")
    with pytest.raises(PluginError) as caught:
        async with opening(failing):
            pytest.fail("it is not open")
    assert isinstance(caught.value.__cause__, OSError)


async def test_what_it_yields_has_all_methods_of_one_of_its_ports():
    class Half:
        connect = "not a method"

        async def get(self, session):
            """One of many."""

    @asynccontextmanager
    async def half(_):
        yield Half()

    @asynccontextmanager
    async def whole(_):
        yield MemoryStore()

    async with opening(whole, ports=(Wire, SessionStore)) as store:
        assert isinstance(store, MemoryStore)
    with pytest.raises(PluginError) as caught:
        async with opening(half, ports=(Wire, ToolServer)):
            pytest.fail("it is not open")
    assert str(caught.value) == (
        "Store 'pg' (acme-store 1.2) cannot be used: its `open` yields a Half, which is no Wire (it lacks connect), "
        "no ToolServer (it lacks serve_tools)."
    )


class Options(BaseModel):
    url: str = ""

    @field_validator("url")
    @classmethod
    def known(cls, url):
        return {"": ""}[url]


class Licensed(BaseModel):
    url: str

    @field_validator("url")
    @classmethod
    def known(cls, url):
        raise SystemExit(url)


def not_there():
    raise ModuleNotFoundError("No module named 'driver'")


def unlicensed():
    raise SystemExit("bad licence")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (Options, "its model of options fails with a KeyError."),
        (lambda: Options, "its model of options fails with a KeyError."),
        (Licensed, "its model of options fails with a SystemExit."),
        (not_there, "ModuleNotFoundError: No module named 'driver'."),
        (unlicensed, "SystemExit: bad licence."),
        (lambda: dict, "its options are no pydantic model."),
    ],
)
async def test_options_that_fail_in_code_of_the_plugin_are_told_without_a_value(options, reason):
    choice, stores = Choice("pg", {"url": "hunter2"}), catalog(quick, options=options)
    for ask in (stores.open, stores.identity):
        with pytest.raises(PluginError) as caught:
            ask(choice)
        assert str(caught.value) == f"Store 'pg' (acme-store 1.2) cannot be opened: {reason}"
        assert "hunter2" not in repr(caught.value.__cause__)
