"""What a middleware promises of a conversation: what it has nothing against passes, whole, in order and at its time."""

from __future__ import annotations

import anyio
import pytest

from kiro_core.errors import Disconnected, RpcError
from kiro_core.frames import Frame
from kiro_core.ports import PassingAgent
from kiro_core.testing.client import RecordingClient
from kiro_core.testing.echo import ECHO, WAIT
from kiro_core.testing.echo_turn import REFUSAL, REFUSED
from kiro_core.testing.middleware_samples import BOUND_S, Entered, passage
from kiro_core.testing.promising import promise
from kiro_core.testing.wire_samples import VALUES, exact

_GONE, _REFUSED = Disconnected("The connection has ended."), RpcError(-32001, "Nobody wants to.")


class _Gone(PassingAgent):
    async def call(self, frame: Frame) -> Frame:  # noqa: ARG002 - the port's
        raise _GONE


_VERBS = ("new", "open", "cancel", "close", "delete", "authenticate", "logout", "list", "notify")


async def _answers(frame: Frame) -> Frame:
    return Frame.answer(frame.params)


async def _refuses(_: Frame) -> Frame:
    raise _REFUSED


class PassingPromises:
    """Updates, questions, answers, errors."""

    @promise("middleware.order", core=True)
    async def test_updates_come_in_order_and_before_the_outcome(self, entered: Entered) -> None:
        """When a turn settles the client has all its updates, in order; until then a layer may hold some back."""
        async with entered() as layer, passage(layer) as through:
            for _ in range(3):
                through.client.frames.clear()
                outcome = await through.turn("s", "/updates 200")
                assert outcome.result == {"stopReason": "end_turn"}
                assert through.client.text("s") == "".join(f"{number} " for number in range(200))

    @promise("middleware.questions")
    async def test_a_question_of_the_agent_is_answered_by_the_client(self, entered: Entered) -> None:
        """What the agent asks reaches the client, and the client's answer reaches the agent, in mid-turn."""
        async with entered() as layer, passage(layer) as through:
            await through.turn("s", "/ask")
        assert [question.method for question in through.client.questions] == ["session/request_permission"]
        assert through.client.text("s") == "s-yes"

    @promise("middleware.cancel", core=True)
    async def test_a_cancel_overtakes_the_turn(self, entered: Entered) -> None:
        """`cancel` reaches the agent while the turn runs, and the turn settles as cancelled."""
        async with entered() as layer, passage(layer) as through:
            for session in ("a", "b"):
                turn = await through.begin(session, "/wait")
                await through.speaks(session)
                if session == "a":
                    await turn.cancel()
                else:
                    await through.agent.cancel(Frame.of("session/cancel", {"sessionId": session}))
                assert (await turn.settled()).result == {"stopReason": "cancelled"}

    @promise("middleware.given-up")
    async def test_who_gives_up_waiting_waits_no_more(self, entered: Entered) -> None:
        """A request whose caller is cancelled ends at once, and what follows is answered."""
        async with entered() as layer, passage(layer) as through:
            turn = await through.begin("s", "/wait")
            with anyio.move_on_after(0.1) as request:
                await through.agent.call(Frame.of(WAIT, {}, id=0))
            with anyio.move_on_after(0.1) as outcome:
                await turn.settled()
            assert request.cancelled_caught
            assert outcome.cancelled_caught
            assert (await through.agent.call(Frame.of(ECHO, {"n": 1}, id=0))).result == {"n": 1}
            await turn.cancel()
            assert (await turn.settled()).result == {"stopReason": "cancelled"}

    @promise("middleware.verbs", core=True)
    @pytest.mark.parametrize("verb", _VERBS)
    async def test_every_verb_reaches_the_agent(self, entered: Entered, verb: str) -> None:
        """What a desk asks of an agent program arrives as it was asked, and the answer comes back so; `info` too."""
        asked = Frame.of(f"session/{verb}", {"sessionId": "s", "n": 1}, id=None if verb == "notify" else 0)
        async with entered() as layer, passage(layer) as through:
            options = {"replay": True} if verb == "open" else {}
            answer = await getattr(through.agent, verb)(asked, **options)
            direct = await getattr(through.echo, verb)(asked, **options)
            arrived, expected = through.echo.frames
            assert through.agent.info == through.echo.info
        assert (arrived.method, arrived.params) == (expected.method, expected.params)
        assert (answer and answer.result.keys()) == (direct and direct.result.keys())

    @promise("middleware.unasked", core=True)
    async def test_what_is_said_outside_of_a_turn_passes(self, entered: Entered) -> None:
        """Updates without a turn, and messages that only the agent and its client know, come at once and whole."""
        said = Frame.of("session/update", {"sessionId": "s", "update": {"sessionUpdate": "plan", "entries": []}})
        told, asked = Frame.of("_x/told", {"n": [1]}), Frame.of("_x/asked", {"n": 1, "_meta": {"x": 2}}, id=0)
        client = RecordingClient(answer=_answers)
        async with entered() as layer, passage(layer, client) as through:
            await through.speaker.notify([said, told])
            answer = await through.speaker.request(asked)
        assert [(frame.method, frame.params) for frame in client.frames] == [
            (frame.method, frame.params) for frame in (said, told)
        ]
        assert [question.params for question in client.questions] == [asked.params]
        assert answer.result == asked.params

    @promise("middleware.values")
    @pytest.mark.parametrize("value", VALUES)
    async def test_what_nobody_knows_passes_as_it_is(self, entered: Entered, value: str) -> None:
        """Unknown fields, long numbers, odd text: values that the protocol does not have pass both ways unchanged."""
        async with entered() as layer, passage(layer) as through:
            asked = Frame.read(f'{{"jsonrpc":"2.0","id":1,"method":"{ECHO}","params":{value}}}'.encode())
            assert exact((await through.agent.call(asked)).text_at("result")) == exact(value.encode())
            await through.turn("s", f"/raw {value}")
            assert exact(through.client.frames[-1].text_at("params", "update")) == exact(value.encode())

    @promise("middleware.noise", core=True)
    async def test_a_line_that_is_no_message_is_no_failure(self, entered: Entered) -> None:
        """Bad lines come among the notifications, with their `fault` set; a layer lets them pass or drops them."""
        lines = [b"no message", b"[]", b'{"id":', b"\xff\xfe", b'{"jsonrpc":"2.0","method":"x","params":7}', b"\x00"]
        client = RecordingClient()
        async with entered() as layer, passage(layer, client) as through:
            with anyio.fail_after(BOUND_S):
                await layer.client(client).notify([Frame.read(line) for line in lines])
            assert (await through.turn("s", "after")).result == {"stopReason": "end_turn"}
            assert client.text("s") == "after"

    @promise("middleware.errors", core=True)
    async def test_an_error_stays_the_error_that_it_was(self, entered: Entered) -> None:
        """What the agent or the client raises comes out as itself, and an agent's error as the response that it was."""
        async with entered() as layer, passage(layer) as through:
            outcome = await through.turn("s", "/refuse")
            with pytest.raises(Disconnected) as gone:
                await layer.agent(_Gone(through.echo)).call(Frame.of("_x", {}, id=0))
            with pytest.raises(RpcError) as refused:
                await layer.client(RecordingClient(answer=_refuses)).request(Frame.of("_x", {}, id=0))
        assert (gone.value, refused.value) == (_GONE, _REFUSED)
        assert outcome.failed
        assert outcome.error == {"code": REFUSAL[0], "message": REFUSAL[1], "data": REFUSED}
