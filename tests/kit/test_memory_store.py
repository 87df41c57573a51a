"""The store in memory is an example of a store: it keeps all promises that one process can keep."""

from contextlib import contextmanager

import anyio
import pytest

from kiro_core import Registry, load_settings, messages, open_desk
from kiro_core.errors import Unavailable
from kiro_core.testing import RecordingClient, StoreContract, memory
from kiro_core.testing.memory.db import MemoryDb
from kiro_core.types import SessionQuery


class TestMemory(StoreContract):
    provider = "memory"
    plugin = memory
    shared = False

    @pytest.fixture
    def options(self, tmp_path):
        return {"name": str(tmp_path)}

    @pytest.fixture
    def outage(self, monkeypatch):
        async def refused(*_, **__):
            raise Unavailable("The memory is full.")

        @contextmanager
        def outage():
            with monkeypatch.context() as broken:
                broken.setattr(MemoryDb, "append", refused)
                yield

        return outage


async def test_without_a_name_each_opening_is_a_store_of_its_own():
    (provider,) = memory.kiro_stores()
    async with provider.open(provider.validated({})) as one, provider.open(provider.validated({})) as other:
        assert one is not other


async def test_a_desk_runs_on_it(rehearsal, tmp_path):
    settings = load_settings({"store": "memory", "engines": {"rehearsal": {"command": rehearsal}}})
    client = RecordingClient()
    with anyio.fail_after(60):
        async with open_desk(settings, Registry(memory), engine="rehearsal") as desk, desk.attach(client) as agent:
            session = (await agent.new(messages.new_session(tmp_path))).result["sessionId"]
            await (await agent.prompt(messages.prompt(session, "/echo hello"))).settled()
            assert client.text(session) == "hello"
            assert [info.id for info in (await desk.sessions(SessionQuery())).items] == [session]
