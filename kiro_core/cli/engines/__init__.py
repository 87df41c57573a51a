"""Shows which agent programs are known and installed, asks one what it can do, and logs in to one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import engine_names
from kiro_core.cli.default_group import DefaultGroup
from kiro_core.cli.options import Given, command, named

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class _Engines(DefaultGroup):
    """A group of which `show` need not be written: `engines` and `engines kiro` show."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands, and the names that `show` takes."""
        return [*super().shell_complete(ctx, incomplete), *engine_names(ctx, None, incomplete)]


@click.group(
    cls=_Engines,
    default="show",
    subcommand_metavar="[show] [NAME] | login NAME",
    epilog=example("kiro-core engines", "kiro-core engines --probe codex", "kiro-core engines login codex"),
)
def engines() -> None:
    """List the agent programs, probe one, or log in to one."""


@engines.command(epilog=example("kiro-core engines --json", "kiro-core engines kiro", "kiro-core engines --probe kiro"))
@click.argument("name", required=False, shell_complete=engine_names)
@click.option("--probe", is_flag=True, help="Start it, show what it says of itself, and remember that.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: an array, or with NAME one object.")
@command
def show(given: Given, *, name: str | None, probe: bool, as_json: bool) -> int:
    """List the agent programs, or show one.

    It is what `engines` does without a command.
    """
    from kiro_core.cli.engines import showing

    if probe and name is None:
        raise click.UsageError("--probe needs the NAME of an engine.")
    if name is None:
        return showing.list_all(given, as_json=as_json)
    if not probe:
        return showing.show_one(given, name, as_json=as_json)
    from kiro_core.cli.engines.probing import probe_one

    return probe_one(given, name, as_json=as_json)


@engines.command(epilog=example("kiro-core engines login claude", "kiro-core engines login codex --method chat-gpt"))
@click.argument("name", shell_complete=engine_names)
@named("--method", "ID", "One of the ways that it offers over the wire, instead of its own command.")
@command
def login(given: Given, *, name: str, method: str) -> int:
    """Log in to an agent program.

    Its own command gets this terminal; a program without one is asked over the wire.
    """
    from kiro_core.cli.engines.login import log_in

    return log_in(given, name, method)
