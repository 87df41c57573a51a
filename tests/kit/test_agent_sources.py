"""Two sources that have nothing in common keep the contract of sources: files that people edit, and the README's."""

import json

import pytest
import team

from kiro_core.testing import AgentSourceContract


class TestTeam(AgentSourceContract):
    provider = "team"
    plugin = team

    @pytest.fixture
    def agents(self):
        return {"polite": "Say please."}


class TestKiro(AgentSourceContract):
    provider = "kiro"

    @pytest.fixture
    def options(self, home):
        return {"home": home}

    @pytest.fixture
    def agents(self, cwd, home):
        _write(cwd / ".kiro" / "agents" / "review.json", {"prompt": "Be kind.", "description": "Reads."})
        _write(home / "agents" / "plan.json", {"name": "plan/größe", "prompt": "Think."})
        return {"review": "Be kind.", "plan/größe": "Think."}

    @pytest.fixture
    def twice(self, agents, home):
        _write(home / "agents" / "review.json", {"prompt": "Be strict."})
        return ["review"]

    @pytest.fixture
    def broken(self, cwd):
        _write(cwd / ".kiro" / "agents" / "typo.json", {"prompt": 7})
        (cwd / ".kiro" / "agents" / "torn.json").write_text('{"prompt": "Be')
        return ["typo", "torn"]


def _write(path, fields):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fields))
