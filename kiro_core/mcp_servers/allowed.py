"""The registry of an organisation: which MCP servers may be used at all, and how those that it knows are started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from kiro_core.agentconfig.reading import Unreadable, read_text
from kiro_core.mcp_servers.expanding import Unusable
from kiro_core.mcp_servers.published import servers_of
from kiro_core.mcp_servers.reading import json_object
from kiro_core.types import Problem

SETTING = "mcp_registry"

_NOT_OVERRIDDEN = frozenset({"type", "command", "args", "url"})


@dataclass(frozen=True, slots=True)
class McpRegistry:
    """What a registry allows, by name: each server as an entry of `mcp.json`, `{}` where only its name is listed.

    `source` is where it was read; with a `problem` it could not be, and then it allows nothing.
    """

    source: str
    servers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    problem: Problem | None = None

    def same(self, name: str, written: Mapping[str, Any]) -> bool:
        """Whether an entry would start what the registry says of that name: by reference, or by the same words."""
        listed = self.servers[name]
        if written.get("type") == "registry":
            return True
        return bool(listed) and all(
            (written.get(key) or None) == (listed.get(key) or None) for key in ("command", "args", "url")
        )

    def entry(self, name: str, written: Mapping[str, Any]) -> Mapping[str, Any]:
        """The registry's entry of a server that it lists, with what a user may write over it: not what is started.

        `env` and `headers` are written over key by key.

        Raises:
            Unusable: the registry does not say how the server is started.

        """
        listed = self.servers[name]
        if not listed:
            raise Unusable("", f"is only a name in the registry {self.source}, which does not say how it is started")
        own = {key: value for key, value in written.items() if key not in _NOT_OVERRIDDEN}
        for key in ("env", "headers"):
            theirs, mine = listed.get(key), own.get(key)
            if isinstance(theirs, Mapping) and isinstance(mine, Mapping):
                own[key] = {**theirs, **mine}
        return {**listed, **own}


async def read_registry(source: str, home: Path, timeout_s: float) -> McpRegistry:
    """Read a registry: a path, or an https address, which is asked once a day and kept in `home` in between.

    Never fails: one that cannot be read within `timeout_s` seconds allows nothing, and tells why.
    """
    try:
        with anyio.fail_after(timeout_s):
            # Reading changes nothing that counts, so a disk or a server that hangs may be left behind.
            value = await to_thread.run_sync(partial(_read, source, home, timeout_s), abandon_on_cancel=True)
        return McpRegistry(source, servers_of(value))
    except TimeoutError:
        reason = f"did not answer within {timeout_s:g} s"
    except Unreadable as error:
        reason = str(error)
    told = f"the registry {source} {reason}; without it no MCP server may be used"
    return McpRegistry(source, problem=Problem(Path(SETTING), "", told))


def _read(source: str, home: Path, timeout_s: float) -> dict[str, Any]:
    if source.startswith("https://"):
        # Its imports would slow down every start, and most people have no registry.
        from kiro_core.mcp_servers.daily import daily

        return daily(source, home, timeout_s)
    return json_object(read_text(Path(source).expanduser())[0])
