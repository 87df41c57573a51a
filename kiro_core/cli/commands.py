"""The tree of commands: names and where they live, none of them imported before it is needed."""

from __future__ import annotations

from importlib import import_module

import click

_FAMILIES = (
    "demo",
    "run",
    "chat",
    "acp",
    "serve",
    "sessions",
    "crew",
    "agents",
    "trust",
    "engines",
    "mcp",
    "plugins",
    "new-plugin",
    "check",
    "connect",
    "completion",
)
"""Each is the name of a command and, with its dash as an underscore, of the module beside this one that holds it."""


class LazyGroup(click.Group):
    """A group whose commands are imported when somebody asks for them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The families, in the order in which people meet them."""
        return [*_FAMILIES, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one family."""
        if cmd_name not in _FAMILIES:
            return super().get_command(ctx, cmd_name)
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(import_module(f"kiro_core.cli.{name}"), name)
        return command


def example(*lines: str) -> str:
    """The end of a command's help, with its lines as they are typed."""
    return "\b\n" + "\n".join(["Example:", *(f"  {line}" for line in lines)])


@click.group(
    cls=LazyGroup,
    epilog=example('kiro-core run --engine rehearsal "Hello"'),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="kiro-core", message="%(prog)s %(version)s")
def kiro_core() -> None:
    """The front desk for coding agents: it opens, records and ends their sessions."""
