"""An agent program, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Engine:
    """An agent program that speaks ACP: how it is started and what it does differently.

    `command` is an argv; `env` is added and `unset` removed; `install` is a sentence for people;
    `agents` says how the program takes an agent configuration: "mode" (by `session/set_mode`) or
    "" (the desk applies it); `reports_mcp` tells that it announces each MCP server's state;
    `automatic` is False for one that is used only when it is named; `unguarded` are the modes in which
    it stops asking; `login` is the argv of its own login, for a terminal; `logins` are its ways to log
    in over the wire (ACP `authMethods`: `{id, name, description?}`); `abilities` are what it does
    natively, in the words of `PeerInfo`; `asks` is False for one that asks before nothing that a configuration
    may forbid, `unasked` are the capabilities (`ToolUse.family`) of which it does some without asking, and `guard`
    is the environment with which it asks before every tool; `honours` are the fields of an agent configuration
    that it understands by itself and `lacks` those that cannot be given to it; `tools` maps its own names of tools
    to Kiro's, with `{server}` and `{tool}` for those of MCP servers, and `told` says where it tells a tool's
    "name" and "command" (see `engines.toml`); `lock` is the path of its own lock on a session, with
    `{kiro_home}` and `{session}` (its own id) to be filled in, or ""; `seen` is the day (`YYYY-MM-DD`)
    on which the entry was last compared with a real program, which was of `version`; `origin` names
    where the entry comes from.
    """

    name: str
    command: Sequence[str]
    title: str = ""
    install: str = ""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    unset: Sequence[str] = ()
    agents: str = ""
    reports_mcp: bool = False
    launcher: str = ""
    transport: str = "acp"
    automatic: bool = True
    unguarded: Sequence[str] = ()
    login: Sequence[str] = ()
    logins: Sequence[Mapping[str, Any]] = ()
    abilities: Sequence[str] = ()
    asks: bool = True
    unasked: Sequence[str] = ()
    guard: Mapping[str, str] = field(default_factory=dict)
    honours: Sequence[str] = ()
    lacks: Sequence[str] = ()
    tools: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lock: str = ""
    version: str = ""
    seen: str = ""
    origin: str = "built-in"

    def stops_asking(self, mode: str) -> bool:
        """Whether it asks nobody in that mode; agents take its name in any case of its letters."""
        return mode.casefold() in {name.casefold() for name in self.unguarded}
