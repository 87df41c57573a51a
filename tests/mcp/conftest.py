"""Folders with the files that name MCP servers."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kiro_core.agentconfig import BUILT_IN
from kiro_core.mcp_servers import merged


class Places:
    """A folder of work, the user's own folder, and what merging makes of them."""

    def __init__(self, root):
        self.cwd = root / "work"
        self.home = root / "home" / ".kiro"
        self.config = BUILT_IN
        self.environ = {"PATH": "/usr/bin:/bin"}
        self.trusts = True
        self.registry = None
        self.client = []

    def write(self, where, servers):
        path = where / "settings" / "mcp.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(servers if isinstance(servers, str) else json.dumps({"mcpServers": servers}))
        return str(path)

    def workspace(self, **servers):
        return self.write(self.cwd / ".kiro", servers)

    def user(self, **servers):
        return self.write(self.home, servers)

    def agent(self, include=None, workspace="", **servers):
        fields = {"mcpServers": servers} | ({} if include is None else {"includeMcpJson": include})
        self.config = replace(
            BUILT_IN, name="review", origin="/agents/review.json", digest="d", fields=fields, workspace=workspace
        )
        return self.config.origin

    def merged(self):
        trusted = self.trusts if callable(self.trusts) else lambda _: self.trusts
        return merged(self.client, self.config, self.cwd, self.home, trusted, self.registry, self.environ)


@pytest.fixture
def places(tmp_path):
    found = Places(tmp_path)
    found.cwd.mkdir(exist_ok=True)
    found.home.mkdir(parents=True, exist_ok=True)
    return found


@pytest.fixture(scope="session")
def certificate():
    """A key and a certificate for localhost that nobody else trusts."""
    return Path(__file__).parent / "localhost.pem"
