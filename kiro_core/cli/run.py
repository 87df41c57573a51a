"""Has one turn with an agent, for a person or for a script."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click

from kiro_core.cli.commands import example
from kiro_core.cli.options import Given, choosing, command, folder, named

_EXAMPLES = (
    'kiro-core run --engine rehearsal "Hello"',
    "git diff | kiro-core run --agent review --output json -",
)


@click.command(epilog=example(*_EXAMPLES))
@click.argument("prompt", required=False)
@named("--session", "ID", "Go on with this session; the beginning of an id is enough.")
@click.option("--output", type=click.Choice(["text", "json", "stream-json"]), default="text", show_default=True)
@folder("The session's folder: by default the current one, or that of --session.")
@choosing
@command
def run(  # noqa: PLR0913 - one parameter an option
    given: Given, *, prompt: str | None, session: str, output: str, cwd: Path | None, agent: str, engine: str
) -> int:
    """Have one turn with an agent, and print its answer as it comes.

    PROMPT is text; - reads it from stdin, and so does a run without PROMPT that is not at a terminal.

    Exit codes: 0 done, 1 failure, 2 usage, 4 the named agent is missing, 5 denied or refused, 130 cancelled.
    """
    if prompt is None and sys.stdin.isatty():
        raise click.UsageError("There is no prompt: write it as an argument, or pipe it in.")
    import anyio

    from kiro_core.cli.conversation import converse
    from kiro_core.cli.order import Order

    order = Order(None if prompt == "-" else prompt, session, output, cwd, agent, engine)
    return anyio.run(partial(converse, given, order), backend="asyncio")
