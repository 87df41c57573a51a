from pathlib import Path

import pytest
from kiro_core.testing import AgentSourceContract


class TestExample(AgentSourceContract):
    provider = "example"

    @pytest.fixture
    def options(self, tmp_path: Path) -> dict[str, Path]:
        (tmp_path / "polite.toml").write_text('prompt = "Say please."')
        return {"folder": tmp_path}

    @pytest.fixture
    def agents(self) -> dict[str, str]:
        return {"polite": "Say please."}


class TestWithABrokenFile(TestExample):
    @pytest.fixture
    def broken(self, tmp_path: Path) -> list[str]:
        (tmp_path / "torn.toml").write_text("prompt =")
        return ["torn"]
