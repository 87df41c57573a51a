"""Prints what makes a shell complete the command; the shell then asks the command itself, each time."""

from __future__ import annotations

import click

from kiro_core.cli.commands import example, kiro_core
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given, command
from kiro_core.cli.text import show


@click.command(
    epilog=example(
        'eval "$(kiro-core completion bash)"    # in ~/.bashrc',
        'eval "$(kiro-core completion zsh)"     # in ~/.zshrc',
        "kiro-core completion fish > ~/.config/fish/completions/kiro-core.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@command
def completion(_: Given, *, shell: str) -> int:
    """Print the script that completes commands and names in a shell.

    Put it where your shell reads it at its start, as the example shows.
    """
    from click.shell_completion import get_completion_class

    completing = get_completion_class(shell)
    if completing is None:
        raise click.UsageError(f"{shell} is not known here.")
    show(completing(kiro_core, {}, "kiro-core", "_KIRO_CORE_COMPLETE").source())
    return DONE
