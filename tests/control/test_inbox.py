"""Messages and sessions below one's own, across processes: each desk does its part, and nothing depends on it."""

import anyio
import pytest

from kiro_core import Frame
from kiro_core.crew.letters import body_of
from kiro_core.notices import UNATTENDED
from kiro_core.testing import RecordingClient
from kiro_core.types import Letter, PeerInfo, SessionId


async def post(place, session, name):
    """Put a letter into a session's inbox from a desk, as if that were another process: each has a store of its own."""
    letter = Letter(name, sender="s-ada", name="Ada", text=f"this is {name}")
    await place.desk._backends.store.put(SessionId(session), name, body_of(letter))


async def test_a_message_of_another_desk_wakes_a_session(desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with desk(client) as one, desk(RecordingClient(), face="chat") as two:
            session = await one.new()
            await post(two, session, "first")
            await two.desk.ground.wake(SessionId(session))
            await client.until(lambda c: "this is first" in str(c.updates(session)))
            inbox = one.desk.live[SessionId(session)].inbox
            while inbox.unread:
                await inbox.changed.wait()


async def test_waking_what_nobody_holds_or_nobody_knows_is_nobodys_failure(desk, caplog):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one:
            session = await one.new()
            await one.close(session)
            await one.desk.ground.wake(SessionId(session))
            await one.desk.ground.wake(SessionId("11111111-1111-4111-8111-111111111111"))


async def test_a_desk_that_cannot_be_told_loses_no_message(desk, monkeypatch):
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one:
            session = await one.new()
            changes = {"limits": {"control_s": 0.1}}
            async with desk(RecordingClient(), face="chat", changes=changes) as two:
                monkeypatch.setattr(one.desk.reception, "hello", _refuses)
                await post(two, session, "first")
                await two.desk.ground.wake(SessionId(session))
                # It is there when the session looks the next time.
                monkeypatch.undo()
                await one.prompt(session, "next")
                assert not one.desk.live[SessionId(session)].inbox.unread
                begun = [record.body async for record in one.desk.read(SessionId(session))]
                assert sum(b'"messages":["first"]' in body for body in begun if b'"turn_begun"' in body) == 1


def _refuses():
    raise RuntimeError


@pytest.mark.parametrize("role", ["controller", "observer"])
async def test_a_client_of_another_desk_sees_the_sessions_below_its_own(desk, role):
    nobody, far = RecordingClient(PeerInfo("crew", abilities=frozenset({UNATTENDED}))), RecordingClient()
    with anyio.fail_after(30):
        async with desk(RecordingClient()) as one, desk(far, face="chat") as two:
            parent = await one.new()
            await two.load(parent, role=role)
            async with one.desk.attach(nobody) as agent:
                one.agent = agent
                child = await one.new(parent=parent)
                await one.prompt(child, "/echo from below")
                await far.until(lambda c: "from below" in c.text(child))
                assert far.text(child) == "from below"
                await two.agent.close(Frame.of("session/close", {"sessionId": parent}, id=0))
                await one.prompt(child, "/echo and again")
            assert far.text(child) == "from below"
