"""The contract of launchers, put together from what is promised of each part."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kiro_core.ports import Launcher
from kiro_core.testing.contract import Contract, Opened
from kiro_core.testing.elsewhere import StartedElsewhere, elsewhere
from kiro_core.testing.launcher_leaving import LeavingPromises
from kiro_core.testing.launcher_samples import Launched
from kiro_core.testing.launcher_starting import StartingPromises
from kiro_core.testing.launcher_streams import StreamPromises
from kiro_core.testing.launcher_sweeping import SweepingPromises
from kiro_core.types import Command


class LauncherContract(StartingPromises, StreamPromises, LeavingPromises, SweepingPromises, Contract):
    """Inherit it, name the provider, and give it little patience, so that the tests are quick.

        class TestDocker(LauncherContract):
            provider = "docker"

            @pytest.fixture
            def options(self):
                return {"image": "python:3.13-slim", "grace_s": 0.2}

            @pytest.fixture
            def python(self):
                return "python3"

    Programs are `python -c`, with nothing but the standard library. `launcher` is the fixture to use in tests of what
    is special to a launcher.
    """

    kind = "launchers"

    @pytest.fixture
    def python(self) -> str:
        """Override it where processes run elsewhere: how Python 3 is called there."""
        return sys.executable

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        """Override it where processes see other paths: an empty folder that they and the test have in common."""
        return tmp_path

    @pytest.fixture
    def program(self, python: str, folder: Path) -> Launched:
        """What makes a command of Python code and its arguments."""

        def program(code: str, *arguments: str, **fields: Any) -> Command:
            return Command([python, "-c", code, *arguments], **{"cwd": str(folder), **fields})

        return program

    @pytest.fixture
    async def launcher(self, opened: Opened) -> AsyncIterator[Launcher]:
        """The launcher under test, open."""
        async with opened() as launcher:
            yield launcher

    @pytest.fixture
    def elsewhere(self, options: dict[str, Any], anyio_backend_name: str) -> StartedElsewhere:
        """What starts a process that has opened the same launcher."""
        order = self.order(options, anyio_backend_name)
        return lambda: elsewhere("launcher_process", order)
