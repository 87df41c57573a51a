"""What `run` was asked for, and how that becomes a prompt."""

from __future__ import annotations

import os
from dataclasses import dataclass

import anyio
import click

from kiro_core.cli.wanted import Wanted
from kiro_core.rpc import Stream


@dataclass(frozen=True, slots=True)
class Order:
    """The options of `run`; a prompt of None is to be read from stdin.

    `when_busy` says what happens when the session is at work: `queue`, `reject` or `interrupt`. `servers` are the
    MCP servers that have to start, `*` for all of the session.
    """

    prompt: str | None
    output: str
    when_busy: str
    wanted: Wanted
    servers: frozenset[str] = frozenset()

    async def read_prompt(self, stdin: Stream) -> str:
        """The prompt, whose bytes are UTF-8 or become question marks.

        Raises:
            click.UsageError: it is empty.

        """
        prompt = os.fsencode(self.prompt) if self.prompt is not None else await _everything(stdin)
        if not prompt.strip():
            raise click.UsageError("The prompt is empty.")
        return prompt.decode("utf-8", "replace")


async def _everything(stdin: Stream) -> bytes:
    parts = []
    while True:
        try:
            parts.append(await stdin.receive())
        except anyio.EndOfStream:
            return b"".join(parts)
