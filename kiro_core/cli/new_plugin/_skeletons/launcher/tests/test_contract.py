import pytest
from kiro_core.testing import LauncherContract


class TestExample(LauncherContract):
    provider = "example"
    waived = {
        "launcher.leaving.sessions": "it ends a group, and keeps no track of what leaves it",
        "launcher.sweep.dead": "it writes down nothing of what it has launched",
    }

    @pytest.fixture
    def options(self) -> dict[str, float]:
        return {"grace_s": 0.2}
