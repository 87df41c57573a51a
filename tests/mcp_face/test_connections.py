"""Many hosts at one server: what is active is a connection's own, and what has none names its session."""

from contextlib import aclosing, asynccontextmanager

import anyio
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp_hosts import Host

from kiro_core.errors import unwrapped
from kiro_mcp.face import HttpFace
from kiro_mcp.options import McpOptions
from kiro_mcp.visits import Visits


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def served(opened_desk, folder, home):
    """`async with served() as connect`, and then `async with connect(era) as host`, as many as you like."""

    @asynccontextmanager
    async def serve(**options):
        face = HttpFace(McpOptions(port=0, working_directory=str(folder), **options))
        with anyio.fail_after(60), unwrapped():
            async with opened_desk() as desk, anyio.create_task_group() as tasks:
                url = await tasks.start(face.serve, desk)
                token = (home / "mcp-token").read_text().strip()

                @asynccontextmanager
                async def connect(mode):
                    async with (
                        create_mcp_http_client(headers={"Authorization": f"Bearer {token}"}) as web,
                        Client(streamable_http_client(url, http_client=web), mode=mode) as client,
                    ):
                        yield Host(client, desk)

                yield connect
                tasks.cancel_scope.cancel()

    return serve


async def test_each_connection_has_its_own_active_session(served):
    async with served() as connect, connect("legacy") as one, connect("legacy") as other:
        first = (await one.call("kiro_chat", message="One"))["session_id"]
        second = (await other.call("kiro_chat", message="Other"))["session_id"]
        assert first != second
        assert (await one.call("kiro_chat", message="Again"))["session_id"] == first
        assert [each["id"] for each in (await other.call("kiro_session_list"))["sessions"]] == [second]
        for tool in ("kiro_session_end", "kiro_session_switch"):
            assert (await other.fails(tool, session_id=first))["code"] == "SESSION_NOT_FOUND"
        assert (await other.fails("kiro_chat", message="Hello?", session_id=first))["code"] == "SESSION_NOT_FOUND"


async def ended(desk, session):
    """Wait until a session has ended."""
    async with aclosing(desk.watch(session)) as records:
        async for _ in records:
            pass


async def test_the_sessions_of_a_connection_that_hangs_up_end_and_make_room(served):
    async with served(max_sessions=2) as connect:
        sessions = []
        for _ in range(3):
            async with connect("legacy") as host:
                sessions += [(await host.call("kiro_session_create"))["id"] for _ in range(2)]
                assert (await host.fails("kiro_session_create"))["code"] == "SESSION_LIMIT_REACHED"
        for session in sessions:
            await ended(host.desk, session)


async def test_what_a_connection_began_comes_to_its_end_when_it_has_hung_up(served):
    async with served() as connect:
        async with connect("legacy") as host:
            begun = await host.call("kiro_chat_async", message="/sleep 0.5\n/permission\n/echo Done")
        await ended(host.desk, begun["session_id"])
        async with connect("legacy") as host:
            state = await host.call("kiro_task_status", task_id=begun["task_id"])
            assert (state["status"], state["result"].endswith("Done")) == ("completed", True)


async def test_a_connection_that_asks_nothing_for_long_enough_is_gone():
    visits = Visits(-4.8)
    gone = anyio.Event()
    told = []

    def leave(session):
        told.append(session)
        gone.set()

    scope = {}
    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            with visits.visit("one", scope):
                assert Visits.of(scope) is visits
                visits.when_gone("one", leave)
                tasks.start_soon(visits.run)
                with visits.visit("one", scope):
                    pass
                with visits.visit("two", {}):
                    pass
                await anyio.sleep(0.3)
                assert told == []  # a request of it is open
            await gone.wait()
            visits.leave("one")
            assert told == ["one"]
            assert not visits._visitors
            tasks.cancel_scope.cancel()


async def test_a_setting_shows_each_connection_all_sessions(served):
    async with served(sessions="all") as connect, connect("legacy") as one, connect("legacy") as other:
        first = (await one.call("kiro_session_create"))["id"]
        listed = await other.call("kiro_session_list")
        assert [each["id"] for each in listed["sessions"]] == [first]
        assert listed["active_session_id"] is None
        assert (await other.call("kiro_chat", message="Hello", session_id=first))["is_complete"]
        await other.call("kiro_session_end", session_id=first)
        assert (await one.call("kiro_session_list"))["count"] == 0


async def test_without_a_connection_a_session_is_named(served):
    async with served() as connect, connect("2026-07-28") as one, connect("2026-07-28") as other:
        failure = await one.fails("kiro_chat", message="Hello")
        assert failure["code"] == "SESSION_NOT_FOUND"
        assert "session_id" in failure["hint"]
        session = await one.call("kiro_session_create")
        assert not session["is_active"]
        assert (await one.fails("kiro_chat", message="Hello"))["code"] == "SESSION_NOT_FOUND"
        assert "Hello" in (await other.call("kiro_chat", message="Hello", session_id=session["id"]))["content"]
        assert (await one.fails("kiro_session_switch", session_id=session["id"]))["code"] == "SESSION_NOT_FOUND"
        listed = await one.call("kiro_session_list")
        assert (listed["count"], listed["active_session_id"]) == (1, None)


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_chat_whose_host_gives_up_is_cancelled_at_the_agent(served, mode):
    async with served() as connect, connect(mode) as host:
        session = (await host.call("kiro_session_create"))["id"]
        async with anyio.create_task_group() as calls:

            async def chat():
                await host.raw("kiro_chat", message="/echo First\n/sleep 60", session_id=session)

            calls.start_soon(chat)
            while not (running := (await host.call("kiro_task_list", session_id=session))["tasks"]):
                pass
            task = running[0]["task_id"]
            await host.call("kiro_task_status", task_id=task, wait_s=20)
            calls.cancel_scope.cancel()
        assert (await host.finished(task))[-1]["status"] == "cancelled"


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_what_happens_reaches_a_host_over_http(served, mode):
    async with served() as connect, connect(mode) as host:
        session = (await host.call("kiro_session_create"))["id"]
        host.progress.clear()
        await host.call("kiro_chat", message="/tool Look around\n/sleep 0.4\n/echo Done", session_id=session)
        numbers = [number for number, _ in host.progress]
        assert numbers
        assert numbers == sorted(set(numbers))


async def test_a_result_survives_the_server(served):
    async with served() as connect, connect("legacy") as host:
        task = (await host.call("kiro_chat_async", message="/echo Kept"))["task_id"]
        await host.finished(task)
    async with served() as connect, connect("2026-07-28") as host:
        state = await host.call("kiro_task_status", task_id=task)
        assert (state["status"], state["result"]) == ("completed", "Kept")
