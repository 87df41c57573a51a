import pytest
from kiro_core.testing import LauncherContract


class TestDocker(LauncherContract):
    provider = "docker"

    @pytest.fixture
    def options(self, docker):
        return {"image": "python:3.13-slim", "program": str(docker), "grace_s": 1}
