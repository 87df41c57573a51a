"""Who is at the other side, and what a client is told outside the conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PeerInfo:
    """What the other side said of itself in `initialize`.

    `abilities` are verbs and services in the desk's words. Of an agent: "load", "resume", "list",
    "close", "delete", "additionalDirectories", "image", "audio", "embeddedContext", "mcp-http",
    "mcp-sse", "logout". Of a client: "notices", "configOptions", "compaction", "read", "write",
    "terminal", "elicitation-form", "elicitation-url", "login-terminal", "alone" (of the sessions below its own
    it is shown nothing). `raw` is its own object of
    capabilities and `logins` its `authMethods`, both as received.
    """

    name: str = ""
    version: str = ""
    abilities: frozenset[str] = frozenset()
    raw: Mapping[str, Any] = field(default_factory=dict)
    logins: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a client is told outside the conversation.

    `kind` is stable ("agent_not_found", "mcp_late", ...); `sentence` is for a person; `details`
    holds JSON values for programs.
    """

    kind: str
    sentence: str
    severity: str = "warning"
    details: Mapping[str, Any] = field(default_factory=dict)
