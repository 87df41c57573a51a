"""Has one turn with an agent, for a person or for a script."""

from __future__ import annotations

import sys
from functools import partial

import click

from kiro_core.cli.commands import example
from kiro_core.cli.options import Given, command, sharing, trusting
from kiro_core.cli.wanted import Wanted, wanting

_EXAMPLES = (
    'kiro-core run --engine rehearsal "Hello"',
    "git diff | kiro-core run --agent review --output json -",
    'kiro-core run -s review "And what of the tests?"',
)


@click.command(epilog=example(*_EXAMPLES))
@click.argument("prompt", required=False)
@click.option("--output", type=click.Choice(["text", "json", "stream-json"]), default="text", show_default=True)
@click.option(
    "--when-busy",
    type=click.Choice(["queue", "reject", "interrupt"]),
    default="queue",
    show_default=True,
    help="When the session is at work elsewhere: wait, fail, or end the other run first.",
)
@click.option(
    "--require-mcp-startup",
    "servers",
    multiple=True,
    metavar="NAME",
    help="Fail when this MCP server of the session does not start; * for all; can be given several times.",
)
@wanting
@command
@sharing
@trusting
def run(  # noqa: PLR0913 - one keyword for each option
    given: Given, *, prompt: str | None, output: str, when_busy: str, servers: tuple[str, ...], wanted: Wanted
) -> int:
    """Have one turn with an agent, and print its answer as it comes.

    PROMPT is text; - reads it from stdin, and so does a run without PROMPT that is not at a terminal.

    Exit codes: 0 done, 1 failure, 2 usage, 3 a required MCP server does not start, 4 the named agent is missing, 5
    denied or refused, 130 cancelled.
    """
    if prompt is None and sys.stdin.isatty():
        raise click.UsageError("There is no prompt: write it as an argument, or pipe it in.")
    import anyio

    from kiro_core.cli.run.conversation import converse
    from kiro_core.cli.run.order import Order

    order = Order(None if prompt == "-" else prompt, output, when_busy, wanted, frozenset(servers))
    return anyio.run(partial(converse, given, order), backend="asyncio")
