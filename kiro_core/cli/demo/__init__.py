"""Shows a newcomer in half a minute what the desk promises, with real processes and nothing of their own."""

from __future__ import annotations

import sys

import click

from kiro_core.cli.commands import example
from kiro_core.cli.failing import DONE, attempt
from kiro_core.cli.logs import begin_logging
from kiro_core.errors import KiroError


@click.command(epilog=example("kiro-core demo", "kiro-core demo --keep", "kiro-core demo --output json"))
@click.option("--keep", is_flag=True, help="Keep its folder, with all records, to look around in it.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def demo(*, keep: bool, output: str, debug: bool) -> None:
    """Watch the desk at work, kill -9 included.

    It runs this program's own commands in a temporary home, with the built-in rehearsal agent and without your
    settings or the network, and checks what they print. With --output json it prints one object a step, a line
    each: {step, shows, ok, seconds}, and a reason where it is not ok.

    Exit codes: 0 every step has shown what it promises, 1 one has not, 130 cancelled.
    """
    begin_logging(0, debug=debug)
    sys.exit(attempt(lambda: _perform(keep=keep, as_json=output == "json"), debug=debug))


def _perform(*, keep: bool, as_json: bool) -> int:
    import anyio

    from kiro_core.cli.demo.narrating import Objects, Words
    from kiro_core.cli.demo.performing import perform
    from kiro_core.cli.signals import until_signalled

    failures: list[KiroError] = []

    async def performed() -> None:
        try:
            await perform(Objects() if as_json else Words(), keep=keep)
        except KiroError as error:
            failures.append(error)

    code = anyio.run(until_signalled, performed, backend="asyncio")
    # Ctrl-C reaches a command too that has only just been started: what it comes to then is no failure of a step.
    if code == DONE and failures:
        raise failures[0]
    return code
