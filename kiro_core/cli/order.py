"""What `run` was asked for, and how that becomes a prompt and a session."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import click

from kiro_core.notices import MARK
from kiro_core.rpc import Stream
from kiro_core.types import SessionInfo


@dataclass(frozen=True, slots=True)
class Order:
    """The options of `run`; a prompt of None is to be read from stdin, and a folder of None is the session's."""

    prompt: str | None
    session: str
    output: str
    cwd: Path | None
    agent: str
    engine: str

    async def read_prompt(self, stdin: Stream) -> str:
        """The prompt, whose bytes are UTF-8 or become question marks.

        Raises:
            click.UsageError: it is empty.

        """
        prompt = os.fsencode(self.prompt) if self.prompt is not None else await _everything(stdin)
        if not prompt.strip():
            raise click.UsageError("The prompt is empty.")
        return prompt.decode("utf-8", "replace")

    def params(self, recorded: SessionInfo | None) -> dict[str, Any]:
        """The params of `session/new`, or those that continue a recorded session; a named agent is required."""
        named = {"_meta": {MARK: {"agent": self.agent, "agentRequired": True}}} if self.agent else {}
        if recorded is None:
            return {"cwd": str(self.cwd or Path.cwd()), "mcpServers": [], **named}
        return {"sessionId": recorded.id, "cwd": str(self.cwd or recorded.cwd), "mcpServers": [], **named}


async def _everything(stdin: Stream) -> bytes:
    parts = []
    while True:
        try:
            parts.append(await stdin.receive())
        except anyio.EndOfStream:
            return b"".join(parts)
