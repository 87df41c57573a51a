"""What becomes of a served desk that is asked to end, or to read its settings again, before it is ready."""

import signal
from contextlib import asynccontextmanager

import anyio
import pytest

from kiro_core import Provider, hookimpl
from kiro_core.catalog import Choice
from kiro_core.cli.options import Given
from kiro_core.cli.serve.faces import Faces
from kiro_core.cli.serve.operation import Operation
from kiro_core.cli.serve.systemd import ServiceManager
from kiro_core.dispatcher import open_desk
from kiro_core.errors import SessionClosing, SettingsError
from kiro_core.registry import Registry
from kiro_core.settings import load_settings


class Slow:
    """A plugin with a face that is never ready."""

    def __init__(self):
        self.asked = anyio.Event()

    async def serve(self, desk, *, task_status):
        self.asked.set()
        await anyio.sleep_forever()

    @hookimpl
    def kiro_transports(self):
        @asynccontextmanager
        async def slow(_):
            yield self

        yield Provider("slow", slow)


@pytest.fixture
def said():
    return []


@pytest.fixture
async def operation(said):
    return Operation(Given(None, {}), ServiceManager({}), said.append)


@pytest.fixture
async def plugin():
    return Slow()


async def test_a_start_that_is_asked_to_end_ends_and_was_never_ready(operation, plugin, said):
    registry = Registry(plugin)
    with anyio.fail_after(30):
        async with open_desk(load_settings(), registry) as desk, anyio.create_task_group() as tasks:
            tasks.start_soon(operation.run, desk, Faces(desk, registry.transports, [Choice("slow")]), "here")
            await plugin.asked.wait()
            await operation.signalled(signal.SIGTERM)
        assert operation.exit_code == 0
        assert said == []


async def test_a_desk_that_is_still_being_opened_is_given_up_when_the_end_is_asked_for(operation, said):
    began = anyio.Event()

    @asynccontextmanager
    async def opening():
        began.set()
        await anyio.sleep_forever()
        yield

    with anyio.fail_after(30):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(operation.serve, opening(), None, "here")
            await began.wait()
            await operation.signalled(signal.SIGTERM)
    assert operation.exit_code == 0
    assert said == []


async def test_a_desk_that_is_not_open_yet_reads_nothing_again(operation):
    with pytest.raises(SessionClosing, match="not open yet"):
        await operation.reload()
    await operation.signalled(signal.SIGHUP)


async def test_a_face_that_never_begins_is_given_up(operation, plugin, said, monkeypatch):
    monkeypatch.setattr("kiro_core.cli.serve.faces._BEGIN_S", 0.01)
    registry = Registry(plugin)
    with anyio.fail_after(30), pytest.raises(SettingsError, match=r"'slow' .* has not begun within 0.01 s"):
        async with open_desk(load_settings(), registry) as desk:
            await operation.run(desk, Faces(desk, registry.transports, [Choice("slow")]), "here")
    assert said == []
