"""A desk that is asked to end: nothing new begins, what runs may finish, and every turn has an outcome with a name."""

import anyio
import pytest

from kiro_core.errors import SessionClosing
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.testing.client import allow

ASKING = "/echo begun\n/permission once=allow_once\n/echo done"


class Asked(RecordingClient):
    """It answers the agent's question when its `gate` opens."""

    def __init__(self):
        super().__init__(answer=self._late)
        self.gate = anyio.Event()

    async def _late(self, frame):
        await self.gate.wait()
        return await allow(frame)


async def states(office, session):
    """How each turn ended, by the record."""
    return [entry.value["state"] for entry in await office.entries(session, "turn_ended")]


def status(office):
    """What the desk tells of its work."""
    told = office.desk.status()
    return {name: told[name] for name in ("state", "agents", "sessions")}


async def test_a_turn_that_ends_in_time_ends_as_if_nothing_had_happened(opened_desk):
    client = Asked()
    with anyio.fail_after(30):
        async with opened_desk(client) as office, anyio.create_task_group() as tasks:
            session = await office.start()
            running, waiting = await office.ask(session, ASKING), await office.ask(session, "/echo never said")
            await client.until(lambda c: c.questions)
            tasks.start_soon(office.desk.drain, 600)
            await anyio.wait_all_tasks_blocked()
            assert session in office.desk.live
            client.gate.set()
            assert (await running.settled()).result["stopReason"] == "end_turn"
            assert (await waiting.settled()).result["stopReason"] == "cancelled"
            await office.ended(session)
            assert client.text(session).endswith("done")
            assert await states(office, session) == ["settled", "cancelled"]


async def test_a_turn_that_does_not_end_in_time_is_cancelled_and_that_is_its_outcome(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, limits={"close_s": 2}) as office:
            kind, stubborn = await office.start(), await office.start()
            turns = [await office.ask(session, "/echo begun\n/sleep 600") for session in (kind, kind)]
            turns.append(await office.ask(stubborn, "/echo begun\n/hang"))
            await client.until(lambda c: c.text(kind) == c.text(stubborn) == "begun")
            await office.desk.drain(0.1)
            assert [(await turn.settled()).result["stopReason"] for turn in turns] == ["cancelled"] * 3
            assert await states(office, kind) == ["cancelled"] * 2
            assert await states(office, stubborn) == ["cancelled"]
            assert not office.desk.live


async def test_who_cannot_wait_ends_the_seconds_and_not_the_order(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client) as office, anyio.create_task_group() as tasks:
            session = await office.start()
            turn = await office.ask(session, "/echo begun\n/sleep 600")
            await client.until(lambda c: c.text(session))
            tasks.start_soon(office.desk.drain, 600)
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        assert (await turn.settled()).result["stopReason"] == "cancelled"
        assert not office.desk.live


async def test_while_it_drains_nothing_new_begins_and_it_says_so(opened_desk):
    client = Asked()
    with anyio.fail_after(30):
        async with opened_desk(client) as office, anyio.create_task_group() as tasks:
            busy, idle = await office.start(), await office.start()
            await office.ask(busy, ASKING)
            await client.until(lambda c: c.questions)
            assert office.desk.not_ready() == ""
            tasks.start_soon(office.desk.drain, 600)
            await anyio.wait_all_tasks_blocked()
            assert office.desk.not_ready() == "The desk is ending."
            for beginning in (office.start(), office.load(idle), office.ask(busy, "x"), office.ask(idle, "x")):
                with pytest.raises(SessionClosing, match="The desk is ending and takes nothing new"):
                    await beginning
            listed = await office.agent.list(Frame.of("session/list", {}, id=0))
            assert {info["sessionId"] for info in listed.result["sessions"]} == {busy, idle}
            client.gate.set()


async def test_its_status_has_numbers_and_names_and_nothing_that_is_said(opened_desk):
    client = Asked()
    with anyio.fail_after(30):
        async with opened_desk(client) as office, anyio.create_task_group() as tasks:
            assert status(office) == {"state": "ready", "agents": 0, "sessions": []}
            busy, idle = await office.start(), await office.start()
            running = await office.ask(busy, ASKING)
            await office.ask(busy, "a secret")
            await client.until(lambda c: c.questions)
            told = {
                "agent": "kiro_default",
                "engine": "rehearsal",
                "clients": 1,
                "asleep": False,
                "endingFailed": False,
            }
            assert status(office) == {
                "state": "ready",
                "agents": 2,
                "sessions": [
                    {"sessionId": busy, "turn": True, "waiting": 1, **told},
                    {"sessionId": idle, "turn": False, "waiting": 0, **told},
                ],
            }
            tasks.start_soon(office.desk.drain, 600)
            await anyio.wait_all_tasks_blocked()
            assert status(office)["state"] == "draining"
            client.gate.set()
            await running.settled()
