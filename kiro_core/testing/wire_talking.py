"""What a wire promises of a conversation: everything arrives, whole and in order, at whom it is meant for."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from kiro_core import messages
from kiro_core.frames import Frame
from kiro_core.testing.client import RecordingClient
from kiro_core.testing.echo import ECHO, WAIT
from kiro_core.testing.echo_turn import REFUSAL, REFUSED
from kiro_core.testing.promising import promise
from kiro_core.testing.wire_samples import VALUES, Connected, DeafClient, exact, spoken

_FLOOD = 256


class TalkingPromises:
    """Updates, questions, answers."""

    @promise("wire.order", core=True)
    async def test_updates_come_in_order_and_before_the_outcome(self, connected: Connected) -> None:
        """When a turn settles the client has all its updates, in the order in which the agent sent them."""
        client = RecordingClient()
        async with connected(client) as line:
            for _ in range(3):
                client.frames.clear()
                outcome = await line.turn("s", "/updates 200")
                assert outcome.result == {"stopReason": "end_turn"}
                assert client.text("s") == "".join(f"{number} " for number in range(200))

    @promise("wire.questions", core=True)
    async def test_a_question_of_the_agent_is_answered_by_the_client(self, connected: Connected) -> None:
        """What the agent asks reaches the client, and the client's answer reaches the agent, in mid-turn."""
        client = RecordingClient()
        async with connected(client) as line:
            await line.turn("s", "/ask")
        assert [question.method for question in client.questions] == ["session/request_permission"]
        assert client.text("s") == "s-yes"

    @promise("wire.answers", core=True)
    async def test_each_of_many_requests_has_its_own_answer(self, connected: Connected) -> None:
        """Of many requests at a time each is answered with its own answer, whatever ids the messages had."""
        answers = dict[int, object]()

        async def ask(number: int) -> None:
            answers[number] = (await line.agent.call(Frame.of(ECHO, {"n": number}, id=7))).result

        async with connected(RecordingClient()) as line, anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(ask, number)
        assert answers == {number: {"n": number} for number in range(100)}

    @promise("wire.cancel", core=True)
    async def test_a_cancel_overtakes_the_turn(self, connected: Connected) -> None:
        """`cancel` reaches the agent while the turn runs, and the turn settles as cancelled."""
        client = RecordingClient()
        async with connected(client) as line:
            for session in ("a", "b"):
                turn = await line.begin(session, "/wait")
                await spoken(client, session)
                if session == "a":
                    await turn.cancel()
                else:
                    await line.agent.cancel(messages.cancel(session))
                assert (await turn.settled()).result == {"stopReason": "cancelled"}

    @promise("wire.values")
    @pytest.mark.parametrize("value", VALUES)
    async def test_what_nobody_knows_passes_as_it_is(self, connected: Connected, value: str) -> None:
        """Unknown fields, long numbers, odd text: values that the protocol does not have pass both ways unchanged."""
        client = RecordingClient()
        async with connected(client) as line:
            asked = Frame.read(f'{{"jsonrpc":"2.0","id":1,"method":"{ECHO}","params":{value}}}'.encode())
            assert exact((await line.agent.call(asked)).text_at("result")) == exact(value.encode())
            await line.turn("s", f"/raw {value}")
            assert exact(client.frames[-1].text_at("params", "update")) == exact(value.encode())

    @promise("wire.errors")
    async def test_an_error_stays_the_error_that_it_was(self, connected: Connected) -> None:
        """An agent's error comes back as a response that failed, with its number, sentence and data."""
        async with connected(RecordingClient()) as line:
            outcome = await line.turn("s", "/refuse")
        assert outcome.failed
        assert outcome.error == {"code": REFUSAL[0], "message": REFUSAL[1], "data": REFUSED}

    @promise("wire.notifications")
    async def test_notifications_reach_the_agent_in_order(self, connected: Connected) -> None:
        """Notifications that nobody knows reach the agent in order, and in front of the request that follows."""
        async with connected(RecordingClient()) as line:
            for number in range(20):
                await line.agent.notify(Frame.of("_note", {"n": number}))
            await line.agent.call(Frame.of(ECHO, {}, id=0))
            assert [frame.params.get("n") for frame in line.echo.frames] == [*range(20), None]

    @promise("wire.pieces")
    async def test_a_message_may_come_in_pieces(self, connected: Connected) -> None:
        """A byte stream has no boundaries: messages are whole however few bytes come at a time."""
        client = RecordingClient()
        async with connected(client, bite=3) as line:
            await line.turn("s", "grüße 世界")
        assert client.text("s") == "grüße 世界"

    @promise("wire.long")
    async def test_a_long_message_passes(self, connected: Connected) -> None:
        """A message of two mebibytes passes both ways."""
        client, text = RecordingClient(), "größe" * 2**18
        async with connected(client) as line:
            await line.turn("s", text)
        assert client.text("s") == text

    @promise("wire.back-pressure", core=True)
    async def test_a_client_that_does_not_listen_stops_the_agent(self, connected: Connected) -> None:
        """A client that takes nothing stops the agent instead of filling memory, and misses nothing in the end."""
        client = DeafClient()
        async with connected(client) as line:
            turn = await line.begin("s", f"/flood {_FLOOD}")
            await line.stalled("s")
            assert line.echo.turns["s"].said < _FLOOD, "everything was sent, and nobody had taken any of it"
            client.listen()
            await turn.settled()
        assert len(client.text("s")) == _FLOOD * 65536

    @promise("wire.given-up")
    async def test_who_gives_up_waiting_harms_nobody(self, connected: Connected) -> None:
        """A request whose caller is cancelled leaves the connection as it is, for what runs and for what follows."""
        client = RecordingClient()
        async with connected(client) as line:
            turn = await line.begin("s", "/wait")
            with anyio.move_on_after(0.1):
                await line.agent.call(Frame.of(WAIT, {}, id=0))
            with anyio.move_on_after(0.1):
                await turn.settled()
            assert (await line.agent.call(Frame.of(ECHO, {"n": 1}, id=0))).result == {"n": 1}
            await turn.cancel()
            assert (await turn.settled()).result == {"stopReason": "cancelled"}
