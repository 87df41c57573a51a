"""Two launchers keep the contract: the bundled one, and a small one that says what it cannot do."""

import pytest
import skeletons

from kiro_core.testing import LauncherContract


class TestLocal(LauncherContract):
    provider = "local"

    @pytest.fixture
    def options(self):
        return {"grace_s": 0.2}


class TestSkeleton(LauncherContract):
    provider = "example"
    plugin = skeletons.launcher
    waived = {  # noqa: RUF012 - as authors write it
        "launcher.leaving.sessions": "it ends a group, and keeps no track of what leaves it",
        "launcher.sweep.dead": "it writes down nothing of what it has launched",
    }

    @pytest.fixture
    def options(self):
        return {"grace_s": 0.2}
