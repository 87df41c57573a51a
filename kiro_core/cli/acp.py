"""What an editor starts: the desk behind the Agent Client Protocol on stdin and stdout."""

from __future__ import annotations

from functools import partial

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import engine_names
from kiro_core.cli.options import Given, choosing, command, named, sharing, trusting


@click.command(epilog=example("kiro-core acp --engine kiro"))
@choosing
@named("--login", "NAME", "Log in to an agent program at this terminal, as an editor asks for it.", engine_names)
@command
@sharing
@trusting
def acp(given: Given, *, agent: str, engine: str, login: str) -> int:
    """Serve an editor over stdin and stdout.

    It speaks the Agent Client Protocol, and ends with all its sessions at the end of stdin or by a signal.
    """
    if login:
        from kiro_core.cli.engines.login import log_in

        return log_in(given, login)
    import anyio

    from kiro_core.cli.serving import serve

    return anyio.run(partial(serve, given, agent, engine), backend="asyncio")
