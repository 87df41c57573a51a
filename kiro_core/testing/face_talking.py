"""What a face promises of a turn: all of it arrives in order, questions come back, and a cancel overtakes it."""

from __future__ import annotations

from pathlib import Path

from kiro_core.testing.face_client import Connect
from kiro_core.testing.face_samples import Served
from kiro_core.testing.promising import promise


class TurnPromises:
    """Prompts are the words of an `EchoAgent`; a protocol without one of these things waives its promise."""

    @promise("face.order")
    async def test_what_an_agent_says_arrives_whole_and_in_order(
        self, served: Served, connect: Connect, tmp_path: Path
    ) -> None:
        """An answer of many parts is there when its turn ends, whole and in the order in which it was said."""
        async with served() as serving, connect(serving) as client:
            session = await client.new(tmp_path)
            assert await client.prompt(session, "/updates 200") == "".join(f"{number} " for number in range(200))

    @promise("face.questions")
    async def test_a_question_reaches_the_client_and_its_answer_the_agent(
        self, served: Served, connect: Connect, tmp_path: Path
    ) -> None:
        """What the agent asks in a turn reaches the client, who chooses the first option, and the agent is told it."""
        async with served() as serving, connect(serving) as client:
            session = await client.new(tmp_path)
            assert await client.prompt(session, "/ask") == f"{session}-yes"

    @promise("face.cancel")
    async def test_a_cancel_ends_a_turn_that_runs(self, served: Served, connect: Connect, tmp_path: Path) -> None:
        """A cancel reaches the agent while the turn runs, which ends as cancelled; the session goes on."""
        async with served() as serving, connect(serving) as client:
            session = await client.new(tmp_path)
            assert await client.prompt_and_cancel(session, "/wait") == "cancelled"
            assert await client.prompt(session, "/echo awake") == "awake"
