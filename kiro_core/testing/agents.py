"""The contract of sources of agent configurations: what it needs to know of one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from kiro_core.ports import AgentSource
from kiro_core.testing.agents_finding import FindingPromises
from kiro_core.testing.contract import Contract, Opened


class AgentSourceContract(FindingPromises, Contract):
    """Inherit it, name the provider, and say what the source has.

        class TestTeam(AgentSourceContract):
            provider = "team"

            @pytest.fixture
            def agents(self):
                return {"polite": "Say please."}

    `source` is the fixture to use in tests of what is special to a source.
    """

    kind = "agents"

    @pytest.fixture
    def cwd(self, tmp_path: Path) -> Path:
        """The folder for which the source is asked."""
        return tmp_path

    @pytest.fixture
    def agents(self) -> Mapping[str, str]:
        """Override it: see that the source has these for `cwd`; all names, each with its prompt as written."""
        pytest.fail("give the fixture `agents`: what the source has, each name with its prompt", pytrace=False)

    @pytest.fixture
    def twice(self) -> Sequence[str]:
        """Override it: those of `agents` for which the source has a second document, which must not count."""
        return ()

    @pytest.fixture
    def broken(self) -> Sequence[str]:
        """Override it: see that the source has documents of these names, too, which cannot be read."""
        return ()

    @pytest.fixture
    async def source(self, opened: Opened) -> AsyncIterator[AgentSource]:
        """The source under test, open."""
        async with opened() as source:
            yield source
