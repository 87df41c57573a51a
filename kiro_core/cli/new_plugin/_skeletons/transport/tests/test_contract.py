import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from kiro_core.testing import FaceContract, WireContract


class TestWire(WireContract):
    provider = "example"

    @pytest.fixture
    def serve(self, wire: Any) -> Any:
        return wire.converse

    @pytest.fixture
    def noise(self) -> bytes:
        return (3).to_bytes(4) + b"[7]"


class TestFace(FaceContract):
    provider = "example"

    @pytest.fixture
    def options(self) -> Iterator[dict[str, str]]:
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # the path of a socket must be short
            yield {"socket": f"{folder}/s"}
