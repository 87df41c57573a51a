from pathlib import Path

import pytest
from kiro_core.testing import StoreContract


class TestExample(StoreContract):
    provider = "example"

    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, Path]:
        return {"root": tmp_path / "sessions"}
