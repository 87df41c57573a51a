"""What another desk shows reaches our client once, also when that desk is killed in the middle of it."""

from kiro_core.dispatcher.relaying import Relay
from kiro_core.frames import Frame
from kiro_core.notices import CURSOR
from kiro_core.testing import RecordingClient


def update(text, session="s"):
    said = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}
    return Frame.of("session/update", {"sessionId": session, "update": said})


def cursor(seq=None, session="s"):
    return Frame.of(CURSOR, {"sessionId": session, **({} if seq is None else {"seq": seq})})


async def test_messages_are_shown_when_the_number_behind_them_has_come():
    client = RecordingClient()
    relay = Relay(client)
    await relay.notify([cursor(), update("one "), update("two ")])
    assert client.text("s") == ""
    assert relay.cursors == {}
    await relay.notify([update("three "), cursor(7)])
    assert client.text("s") == "one two three "
    assert relay.cursors == {"s": 7}


async def test_what_was_not_told_whole_is_left_to_the_record():
    client = RecordingClient()
    relay = Relay(client)
    await relay.notify([cursor(), update("one "), cursor(3), cursor(), update("half")])
    assert client.text("s") == "one "
    assert relay.cursors == {"s": 3}


async def test_other_sessions_and_what_has_no_number_pass_meanwhile():
    client = RecordingClient()
    relay = Relay(client)
    await relay.notify([cursor(), update("waits "), update("passes ", session="t")])
    assert (client.text("s"), client.text("t")) == ("", "passes ")
    await relay.notify([cursor(1), update("no record")])
    assert client.text("s") == "waits no record"
