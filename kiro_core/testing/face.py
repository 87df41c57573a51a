"""The contract of faces: what is true of every way to serve a desk, whatever its protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import cast

import pytest

from kiro_core.errors import KiroError
from kiro_core.ports import Attachable, Face, Wire
from kiro_core.testing.contract import Contract, Opened
from kiro_core.testing.echo import EchoDesk
from kiro_core.testing.face_client import Connect, through
from kiro_core.testing.face_samples import Served, Serving, WatchedDesk, serving
from kiro_core.testing.face_serving import ServingPromises
from kiro_core.testing.face_talking import TurnPromises


class FaceContract(ServingPromises, TurnPromises, Contract):
    """Inherit it, name the provider, and say how a client of the protocol connects.

        class TestGrpc(FaceContract):
            provider = "grpc"

            @pytest.fixture
            def connect(self):
                return connect

    `connect(serving)` gives an async context manager of a `FaceClient`. A provider that is a wire, too, needs
    none: its wire is the client. `served` is the fixture to use in tests of what is special to a face.
    """

    kind = "transports"

    @pytest.fixture
    def desk(self) -> Attachable:
        """Override it where the face needs more of a desk than a connection: an open desk, and agents that echo."""
        return EchoDesk()

    @pytest.fixture
    async def face(self, opened: Opened) -> AsyncIterator[Face]:
        """The face under test, open."""
        async with opened() as face:
            yield face

    @pytest.fixture
    def connect(self, face: Face) -> Connect:
        """Override it where the provider is no wire: how a client of the protocol connects."""
        if not hasattr(face, "connect"):
            pytest.fail("give the fixture `connect`: how a client of the protocol connects", pytrace=False)
        return lambda serving: through(cast("Wire", face), serving)

    @pytest.fixture
    def served(self, face: Face, desk: Attachable) -> Served:
        """What has the face serve."""

        def served(refusal: KiroError | None = None) -> AbstractAsyncContextManager[Serving]:
            return serving(face, WatchedDesk(desk, refusal))

        return served
