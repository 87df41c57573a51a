"""All tools, in the order in which hosts are told of them."""

from __future__ import annotations

from typing import Any

from kiro_mcp.server import (
    answering,
    commanding,
    crews,
    finding,
    following,
    keeping,
    past,
    prompting,
    sessions,
    switching,
    talking,
    tasks,
)
from kiro_mcp.server.tool import Tool

CORE: tuple[Tool[Any], ...] = (
    talking.CHAT,
    talking.CHAT_ASYNC,
    following.STATUS,
    tasks.CANCEL,
    answering.ANSWER,
    sessions.CREATE,
    sessions.LIST,
    switching.END,
)
"""What a host needs daily; descriptions cost its model's context."""

ALL: tuple[Tool[Any], ...] = (
    *CORE,
    tasks.LIST,
    switching.SWITCH,
    keeping.CLEAR,
    keeping.SAVE,
    keeping.LOAD,
    past.SEARCH,
    past.HISTORY,
    past.HISTORY_CLEAR,
    commanding.COMMAND,
    finding.AGENTS,
    finding.ENGINES,
    prompting.PROMPTS,
    prompting.PROMPT,
    finding.POOL,
    crews.RUN,
    crews.STATUS,
    crews.CANCEL,
)


def offered(choice: str) -> dict[str, Tool[Any]]:
    """The tools of the option `tools` ("all" or "core"), by name."""
    return {tool.name: tool for tool in (CORE if choice == "core" else ALL)}
