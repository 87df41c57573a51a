"""The contract of wires, put together from what is promised of each part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from kiro_core.ports import Client, Wire
from kiro_core.testing.contract import Contract, Opened
from kiro_core.testing.wire_ending import EndingPromises
from kiro_core.testing.wire_samples import Connected, Line, Serve, connected
from kiro_core.testing.wire_talking import TalkingPromises


class WireContract(TalkingPromises, EndingPromises, Contract):
    """Inherit it, name the provider, and say how an agent at the far end speaks its protocol.

        class TestAcp(WireContract):
            provider = "acp"

            @pytest.fixture
            def serve(self):
                return converse

    `serve(stream, desk)` serves `desk` to whoever is at the other end of `stream` until that one hangs up. If the
    provider is a face, too, that is the code of its face: the two then judge each other. `wire` and `connected` are
    the fixtures to use in tests of what is special to a wire.
    """

    kind = "transports"

    @pytest.fixture
    def serve(self) -> Serve:
        """Override it: an agent program of the protocol, in this process."""
        pytest.fail("give the fixture `serve`: how an agent at the far end speaks the protocol", pytrace=False)

    @pytest.fixture
    def noise(self) -> bytes:
        """Override it where the protocol is no lines: bytes that are no message, and after which messages follow."""
        return b'no message\n{"id":\n[]\n\xff\n\n'

    @pytest.fixture
    async def wire(self, opened: Opened) -> AsyncIterator[Wire]:
        """The wire under test, open."""
        async with opened() as wire:
            yield wire

    @pytest.fixture
    def connected(self, wire: Wire, serve: Serve) -> Connected:
        """What connects a client with an `EchoAgent`, over the wire under test."""

        def through(client: Client, *, bite: int = 65536) -> AbstractAsyncContextManager[Line]:
            return connected(wire, serve, client, bite)

        return through
