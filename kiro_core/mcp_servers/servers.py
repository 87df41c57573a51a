"""The servers of a session as values, with where each comes from and why another one is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from kiro_core.trust import Document
from kiro_core.types import Problem

CLIENT = "client"
"""The origin of what a client asked for in its request."""

CREW = "crew"
"""The origin and the name of the desk's own server, with the tools of a crew; every other origin is a file's path."""


@dataclass(frozen=True, slots=True)
class SessionServer:
    """A server that the agent is asked to start.

    `entry` is what ACP carries: `{name, command, args, env: [{name, value}]}`, or `{type: "http"|"sse", name, url,
    headers: [{name, value}]}`. It holds secrets, so it is not printed. `disabled_tools` and `auto_approve` are names
    of its tools (`"*"`: all); `untold` are the fields of its configuration that ACP cannot carry.
    """

    name: str
    origin: str
    entry: Mapping[str, Any] = field(repr=False)
    disabled_tools: Sequence[str] = ()
    auto_approve: Sequence[str] = ()
    untold: Sequence[str] = ()

    @property
    def kind(self) -> str:
        """Over what it is spoken to: `stdio`, `http` or `sse`."""
        return str(self.entry.get("type", "stdio"))


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A server that some place names and the session does not get; `reason` is a clause, such as "it is disabled".

    `why` is "shadowed" (another place names it, and counts), "disabled", "untrusted" (nobody agreed to the file),
    "unlisted" (the registry does not allow it) or "invalid".
    """

    name: str
    origin: str
    why: Literal["shadowed", "disabled", "untrusted", "unlisted", "invalid"]
    reason: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of all that was named.

    `problems` tells what could not be used, without any value; `untrusted` are the files that are not used at all
    until somebody agrees to them.
    """

    servers: Sequence[SessionServer] = ()
    left_out: Sequence[LeftOut] = ()
    problems: Sequence[Problem] = ()
    untrusted: Sequence[Document] = ()
