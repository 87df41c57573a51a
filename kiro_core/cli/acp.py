"""What an editor starts: the desk behind the Agent Client Protocol on stdin and stdout."""

from __future__ import annotations

from functools import partial

import click

from kiro_core.cli.commands import example
from kiro_core.cli.options import Given, choosing, command


@click.command(epilog=example("kiro-core acp --engine kiro"))
@choosing
@command
def acp(given: Given, *, agent: str, engine: str) -> int:
    """Serve an editor over stdin and stdout.

    It speaks the Agent Client Protocol, and ends with all its sessions at the end of stdin or by a signal.
    """
    import anyio

    from kiro_core.cli.serving import serve

    return anyio.run(partial(serve, given, agent, engine), backend="asyncio")
