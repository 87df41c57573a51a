"""A process that nobody can end: its session says so, stays where it is, and can be ended again."""

from contextlib import asynccontextmanager

import anyio
import pytest

from kiro_core import Provider, Registry, hookimpl
from kiro_core.catalog import Choice
from kiro_core.errors import EndingFailed, SessionNotFound
from kiro_core.testing import RecordingClient


class Undead(EndingFailed):
    """What the launcher below raises until its process may end."""

    def __init__(self, launcher):
        super().__init__("It is still there.", hint="Wait.")
        self.launcher = launcher

    async def again(self):
        self.launcher.tried += 1
        if self.launcher.survives:
            raise self


class Stubborn:
    """A launcher of real processes, of which it says that they survive while `survives`."""

    def __init__(self):
        self.survives = True
        self.tried = 0

    @hookimpl
    def kiro_launchers(self):
        yield Provider("stubborn", self.opened)

    @asynccontextmanager
    async def opened(self, _):
        async with Registry(only={"local"}).launchers.open(Choice("local")) as self.local:
            yield self

    @asynccontextmanager
    async def launch(self, command):
        async with self.local.launch(command) as process:
            yield process
        if self.survives:
            raise Undead(self)

    async def sweep(self):
        return []


@pytest.fixture
def launcher():
    return Stubborn()


@pytest.fixture
def office(opened_desk, launcher):
    def opened(**limits):
        return opened_desk(RecordingClient(), plugins=[launcher], launcher="stubborn", limits=limits)

    return opened


def failed(office):
    return [session["endingFailed"] for session in office.desk.status()["sessions"]]


async def test_a_session_whose_process_survives_is_listed_and_can_be_ended_again(office, launcher):
    with anyio.fail_after(20):
        async with office() as desk:
            session = await desk.start()
            assert failed(desk) == [False]
            for _ in range(2):
                with pytest.raises(EndingFailed, match="still there"):
                    await desk.close(session)
                assert failed(desk) == [True]
            launcher.survives = False
            await desk.close(session)
            assert failed(desk) == []
            with pytest.raises(SessionNotFound):
                await desk.ask(session, "hello")
            await desk.load(session)
            assert (await desk.prompt(session, "hello")).result["stopReason"] == "end_turn"


async def test_a_turn_of_it_ends_as_cancelled_all_the_same(office):
    with anyio.fail_after(20):
        async with office(close_s=2) as desk:
            session = await desk.start()
            turn = await desk.ask(session, "/hang")
            with pytest.raises(EndingFailed):
                await desk.close(session)
            assert (await turn.settled()).result["stopReason"] == "cancelled"


async def test_nobody_else_waits_and_the_desk_ends_in_time(office):
    with anyio.fail_after(20):
        async with office(shutdown_s=1) as desk:
            stuck, other = await desk.start(), await desk.start()
            async with anyio.create_task_group() as tasks:

                async def ending():
                    with pytest.raises(EndingFailed):
                        await desk.close(stuck)

                tasks.start_soon(ending)
                assert (await desk.prompt(other, "hello")).result["stopReason"] == "end_turn"


async def test_what_survives_a_change_of_the_agent_is_looked_at_again_at_the_end(office, launcher):
    with anyio.fail_after(20):
        async with office() as desk:
            session = await desk.start()
            await desk.call("_kiro_core/session/clear", session)
            assert (await desk.prompt(session, "hello")).result["stopReason"] == "end_turn"
            launcher.survives = False
            await desk.close(session)
            assert launcher.tried == 1
