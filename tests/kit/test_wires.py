"""Two wires keep the contract, each against its own face: the protocol of the bundled one, and one of a few lines."""

import anyio
import pytest
import skeletons

from kiro_acp.face import converse
from kiro_core import Registry, messages
from kiro_core.catalog import Choice
from kiro_core.testing import RecordingClient, WireContract
from kiro_core.testing.wire_samples import BOUND_S
from kiro_core.types import Command


class TestAcp(WireContract):
    provider = "acp"

    @pytest.fixture
    def serve(self):
        return converse

    async def test_the_rehearsal_agent_is_an_agent_in_a_process(self, wire, rehearsal, tmp_path):
        client, command = RecordingClient(), Command(rehearsal, str(tmp_path))
        with anyio.fail_after(BOUND_S):
            async with (
                Registry().launchers.open(Choice("local")) as launcher,
                launcher.launch(command) as process,
                wire.connect(process, client, BOUND_S) as agent,
            ):
                session = (await agent.new(messages.new_session(tmp_path))).result["sessionId"]
                outcome = await (await agent.prompt(messages.prompt(session, "/echo hello"))).settled()
        assert outcome.result["stopReason"] == "end_turn"
        assert client.text(session) == "hello"


class TestSkeleton(WireContract):
    provider = "example"
    plugin = skeletons.transport

    @pytest.fixture
    def serve(self, wire):
        return wire.converse

    @pytest.fixture
    def noise(self):
        return (3).to_bytes(4) + b"[7]"
