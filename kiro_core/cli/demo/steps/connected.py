"""The way on, into the user's own editor; only shown, and never written by a demo."""

from __future__ import annotations

import json

from kiro_core.cli.demo.shell import Shell
from kiro_core.cli.demo.step import Step, require
from kiro_core.cli.failing import DONE
from kiro_core.engines.logins import own_program


async def _act(shell: Shell) -> None:
    told = await shell.run("connect", "zed")
    require(told.code == DONE, f"`connect` has ended with status {told.code}.")
    _, brace, rest = told.output.partition("{")
    try:
        entry = json.loads(brace + rest)["agent_servers"]["kiro-core"]
    except (ValueError, LookupError, TypeError):
        entry = {}
    require(entry.get("command") == own_program(), "An editor would not start this program.")


CONNECTED = Step(
    "connected",
    "An editor needs a few lines to work so too.",
    "This only shows them. With --write they go into its settings; jetbrains and vscode are known as well, and\n"
    "claude-code, copilot, cursor and gemini get sessions as tools.",
    "they start this very program.",
    _act,
)
