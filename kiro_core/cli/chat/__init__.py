"""Talks with an agent turn by turn, at a terminal with a line editor, or line by line through a pipe."""

from __future__ import annotations

from functools import partial

import click

from kiro_core.cli.commands import example
from kiro_core.cli.options import Given, command, sharing, trusting
from kiro_core.cli.wanted import Wanted, wanting


@click.command(epilog=example("kiro-core chat --engine rehearsal", "kiro-core chat -s review"))
@wanting
@command
@sharing
@trusting
def chat(given: Given, *, wanted: Wanted) -> int:
    """Talk with an agent, turn by turn.

    /help lists the commands, Ctrl-C cancels a turn, Ctrl-D leaves.

    Without a terminal each line of stdin is a prompt, had one after the other, and only the answers
    are printed. A backslash at the end of a line joins the next one to it.

    Exit codes: 0 done, 130 ended by a signal; through a pipe that of the first turn that failed, as with `run`.
    """
    import anyio

    from kiro_core.cli.chat.place import hold

    return anyio.run(partial(hold, given, wanted), backend="asyncio")
