"""What a wire promises of bad connections: noise ends nothing, and an end is told to everybody who waits."""

from __future__ import annotations

import anyio
import pytest

from kiro_core.errors import AgentTimeout, Disconnected
from kiro_core.ports import Turn, Wire
from kiro_core.testing.client import RecordingClient
from kiro_core.testing.loopback import StandInProcess, loopback
from kiro_core.testing.promising import promise
from kiro_core.testing.wire_samples import BOUND_S, Connected, spoken


class EndingPromises:
    """Hanging up, silence, noise."""

    @promise("wire.hang-up.waiters", core=True)
    async def test_an_agent_that_hangs_up_fails_everybody_who_waits(self, connected: Connected) -> None:
        """When the agent hangs up, whoever waits for a turn or an answer gets `Disconnected`, and nobody waits on."""
        client, failed = RecordingClient(), list[str]()

        async def wait(name: str, turn: Turn) -> None:
            with pytest.raises(Disconnected):
                await turn.settled()
            failed.append(name)

        with anyio.fail_after(BOUND_S):
            async with anyio.create_task_group() as waiters, connected(client) as line:
                for name in ("a", "b"):
                    waiters.start_soon(wait, name, await line.begin(name, "/wait"))
                    await spoken(client, name)
                await line.hang_up()
                await anyio.sleep_forever()
        assert sorted(failed) == ["a", "b"]

    @promise("wire.hang-up.block", core=True)
    async def test_the_block_ends_with_the_agent(self, connected: Connected) -> None:
        """When the agent hangs up the block is cancelled and left, without an error: its lifetime is the wire's."""
        left = False
        async with connected(RecordingClient()) as line:
            await line.turn("s", "hello")
            try:
                await line.hang_up()
                await anyio.sleep_forever()
            finally:
                left = True
        assert left

    @promise("wire.hang-up.early")
    async def test_an_agent_that_hangs_up_at_once_is_told(self, wire: Wire) -> None:
        """An agent program that ends before it has said anything is `Disconnected` on entering."""
        with anyio.fail_after(BOUND_S):
            async with loopback() as (ours, theirs):
                await theirs.aclose()
                process = StandInProcess(ours)
                process.end(3)
                with pytest.raises(Disconnected):
                    async with wire.connect(process, RecordingClient(), BOUND_S):
                        await anyio.sleep_forever()

    @promise("wire.deadline")
    async def test_an_agent_that_says_nothing_is_not_waited_for(self, wire: Wire) -> None:
        """An agent program that does not introduce itself in time is `AgentTimeout` on entering."""
        with anyio.fail_after(BOUND_S), pytest.raises(AgentTimeout):
            async with loopback() as (ours, _), wire.connect(StandInProcess(ours), RecordingClient(), 0.1):
                await anyio.sleep_forever()

    @promise("wire.noise")
    async def test_noise_between_messages_ends_nothing(self, connected: Connected, noise: bytes) -> None:
        """What is no message, such as a warning that a library prints, is passed over: the conversation goes on."""
        client = RecordingClient()
        async with connected(client) as line:
            for text in ("one", "two"):
                await line.theirs.send(noise)
                await line.turn("s", text)
        assert client.text("s") == "onetwo"
