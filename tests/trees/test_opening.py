"""A desk sweeps when it opens, and whatever becomes of that is not its business."""

from contextlib import asynccontextmanager

import anyio
import pytest

from kiro_core import Provider, Registry, hookimpl, load_settings, open_desk
from kiro_core.types import Receipt, SessionQuery


class Sweeping:
    """A plugin whose launcher can do nothing but sweep."""

    def __init__(self, sweep):
        self.sweep = sweep

    def launch(self, command):
        pytest.fail("nothing is launched here")

    @hookimpl
    def kiro_launchers(self):
        yield Provider("sweeping", self.open)

    @asynccontextmanager
    async def open(self, _):
        yield self


@pytest.fixture
def opened():
    """A desk with such a launcher, and what can be asked of any desk."""

    @asynccontextmanager
    async def desk(sweep):
        with anyio.fail_after(10):
            async with open_desk(load_settings({"launcher": "sweeping"}), Registry(Sweeping(sweep))) as one:
                assert (await one.sessions(SessionQuery())).items == []
                yield one

    return desk


async def test_what_a_sweep_ended_is_logged_as_a_warning(opened, caplog):
    swept = anyio.Event()

    async def sweep():
        swept.set()
        return [Receipt("pid 7", "agent", 3)]

    async with opened(sweep):
        await swept.wait()
    assert "ended what a killed desk had left of agent (pid 7): processes: 3" in caplog.text
    assert [record.levelname for record in caplog.records if "agent (pid 7)" in record.message] == ["WARNING"]


async def test_a_sweep_that_fails_is_logged_and_the_desk_is_open(opened, caplog):
    failed = anyio.Event()

    async def sweep():
        failed.set()
        raise RuntimeError("broken broom")

    async with opened(sweep):
        await failed.wait()
    assert "broken broom" in caplog.text


async def test_a_sweep_that_hangs_delays_neither_the_opening_of_a_desk_nor_its_end(opened):
    async with opened(anyio.sleep_forever):
        pass
