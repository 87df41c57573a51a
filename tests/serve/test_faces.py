"""The faces of a served desk: each runs by itself, and readiness is that of all of them."""

from contextlib import asynccontextmanager

import anyio
import pytest

from kiro_acp.wire import AcpWire
from kiro_core import Provider, hookimpl
from kiro_core.catalog import Choice
from kiro_core.cli.serve.faces import Faces
from kiro_core.errors import SettingsError, unwrapped
from kiro_core.registry import Registry


class Watched:
    """A desk of which only its readiness is asked."""

    reason = ""
    faces = None

    def not_ready(self):
        return self.reason or self.faces.not_ready()


class Scripted:
    """A plugin with a face that waits for `begins`, and then for `fails`, which it raises or returns."""

    def __init__(self):
        self.begins, self.fails = anyio.Event(), anyio.Event()
        self.error = None

    async def serve(self, desk, *, task_status):
        self.desk = desk
        await self.begins.wait()
        task_status.started("over there")
        await self.fails.wait()
        if self.error:
            raise self.error

    @hookimpl
    def kiro_transports(self):
        @asynccontextmanager
        async def scripted(_):
            yield self

        @asynccontextmanager
        async def deaf(_):
            yield AcpWire()

        @asynccontextmanager
        async def broken(_):
            raise RuntimeError("no luck")
            yield

        for name, opening in (("scripted", scripted), ("deaf", deaf), ("broken", broken)):
            yield Provider(name, opening)


@pytest.fixture
async def plugin():
    return Scripted()


@pytest.fixture
def faces(plugin):
    def choose(*names, desk=None):
        registry = Registry(plugin, only=["http"])
        choices = [Choice(name, {"port": 0} if name == "http" else {}) for name in names]
        desk = desk or Watched()
        desk.faces = Faces(desk, registry.transports, choices)
        return desk.faces

    return choose


async def test_it_is_ready_when_all_have_begun(faces, plugin):
    desk = Watched()
    ours = faces("http", "scripted", desk=desk)
    with anyio.fail_after(10):
        async with anyio.create_task_group() as serving, anyio.create_task_group() as beginning:
            beginning.start_soon(ours.begin, serving)
            await anyio.wait_all_tasks_blocked()
            assert ours.not_ready() == "The desk is starting."
            plugin.begins.set()
            await anyio.wait_all_tasks_blocked()
            assert plugin.desk.not_ready() == ours.not_ready() == ""
            serving.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (RuntimeError("a bug"), "RuntimeError: a bug"),
        (SettingsError("The disk is gone.", hint="Put it back."), "The disk is gone"),
        (None, "it has ended by itself"),
    ],
)
async def test_one_that_fails_later_is_told_and_the_others_go_on(faces, plugin, caplog, error, why):
    ours = faces("scripted", "http")
    plugin.begins.set()
    plugin.error = error
    with anyio.fail_after(10):
        async with anyio.create_task_group() as serving:
            await ours.begin(serving)
            plugin.fails.set()
            await anyio.wait_all_tasks_blocked()
            problem = f"scripted over there serves nobody any more: {why}."
            assert ours.not_ready() == problem
            assert problem in caplog.text
            (first, second) = ours.told()
            assert first == {"use": "scripted", "place": "over there", "problem": problem}
            assert second["problem"] == ""
            async with await anyio.connect_tcp("127.0.0.1", int(second["place"].rpartition(":")[2])) as stream:
                await stream.send(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
                answer = await stream.receive()
                assert answer.startswith(b"HTTP/1.1 503")
            serving.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("deaf", "Transport 'deaf' connects to agents only; it serves no clients."),
        ("broken", "Transport 'broken' cannot be opened: RuntimeError: no luck."),
        ("scriptet", "No transport is called 'scriptet'; did you mean 'scripted'?"),
    ],
)
async def test_one_that_cannot_begin_ends_the_start_and_is_named(faces, plugin, name, why):
    plugin.begins.set()
    with anyio.fail_after(10), pytest.raises(SettingsError) as caught, unwrapped():
        async with anyio.create_task_group() as serving:
            await faces("scripted", name).begin(serving)
    assert str(caught.value) == f"{name!r} of the setting serve cannot begin: {why}"


async def test_one_that_would_take_our_own_stdio_is_refused():
    registry = Registry(only=["acp"])
    with anyio.fail_after(10), pytest.raises(SettingsError) as caught, unwrapped():
        async with anyio.create_task_group() as serving:
            await Faces(Watched(), registry.transports, [Choice("acp")]).begin(serving)
    assert str(caught.value) == (
        "'acp' of the setting serve cannot begin: it would take this program's own stdin and stdout; it needs `socket`."
    )
    assert "socket = ..." in caught.value.hint
