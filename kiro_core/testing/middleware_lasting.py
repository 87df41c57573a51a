"""What a middleware promises of a session's life: sessions do not meet, and behind the block it is over."""

from __future__ import annotations

from contextlib import AsyncExitStack

import anyio
import pytest

from kiro_core.testing.middleware_samples import BOUND_S, OWN_S, Entered, passage
from kiro_core.testing.promising import promise

_SESSIONS = 5


class LastingPromises:
    """Sessions beside each other, agent programs after each other, and the end."""

    @promise("middleware.apart", core=True)
    async def test_sessions_know_nothing_of_each_other(self, entered: Entered) -> None:
        """What is said in one session comes out in that one, and a session that ends leaves the others as they are."""
        async with entered() as layer, passage(layer) as through:
            turn = await through.begin("s", "/wait")
            async with entered() as other, passage(other) as beside:
                assert (await beside.turn("s", "/updates 20")).result == {"stopReason": "end_turn"}
                assert beside.client.text() == "".join(f"{number} " for number in range(20))
            await through.speaks("s")
            await turn.cancel()
            assert (await turn.settled()).result == {"stopReason": "cancelled"}
            assert through.client.text() == "waiting"

    @promise("middleware.at-a-time")
    async def test_many_sessions_are_entered_at_a_time(self, entered: Entered) -> None:
        """Sessions are entered and left in any order, each by a task of its own, and each has its own conversation."""
        said = dict[int, str]()

        async def live(number: int) -> None:
            async with entered() as layer, passage(layer) as through:
                for _ in range(number):
                    await through.turn("s", f"{number} ")
                said[number] = through.client.text()

        async with anyio.create_task_group() as tasks:
            for number in range(1, _SESSIONS):
                tasks.start_soon(live, number)
        assert said == {number: f"{number} " * number for number in range(1, _SESSIONS)}

    @promise("middleware.restart", core=True)
    async def test_another_start_of_the_program_begins_anew(self, entered: Entered) -> None:
        """An agent program that ends in mid-turn and is started again, or another one, has the layer to itself."""
        async with entered() as layer:
            async with passage(layer) as first:
                await first.begin("s", "/wait")
                await first.speaks("s")
            async with passage(layer) as second:
                assert (await second.turn("s", "again")).result == {"stopReason": "end_turn"}
            assert second.client.text() == "again"

    @promise("middleware.in-time", core=True)
    async def test_entering_and_leaving_take_little_time(self, entered: Entered) -> None:
        """Each is over within the time that a desk gives, which is 5 seconds."""
        async with AsyncExitStack() as stack:
            with anyio.fail_after(OWN_S):
                await stack.enter_async_context(entered())
            with anyio.fail_after(OWN_S):
                await stack.aclose()

    @promise("middleware.leaving.error", core=True)
    async def test_what_the_block_raises_leaves_as_it_is(self, entered: Entered) -> None:
        """An error of the block comes out alone."""
        with anyio.fail_after(BOUND_S), pytest.raises(LookupError, match="mine") as caught:
            async with entered():
                raise LookupError("mine")
        assert type(caught.value) is LookupError

    @promise("middleware.leaving.cancelled", core=True)
    async def test_cancellation_ends_it(self, entered: Entered) -> None:
        """A block that is cancelled is left, also in mid-turn, and the cancellation is not swallowed."""
        with anyio.fail_after(BOUND_S):
            with anyio.CancelScope() as scope:
                async with entered() as layer, passage(layer) as through:
                    turn = await through.begin("s", "/wait")
                    scope.cancel()
                    await turn.settled()
            assert scope.cancelled_caught
