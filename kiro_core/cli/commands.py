"""The tree of commands: names and where they live, none of them imported before it is needed."""

from __future__ import annotations

from importlib import import_module

import click

from kiro_core.version import __version__

_FAMILIES = {
    "demo": "Watch the desk at work, kill -9 included.",
    "run": "Have one turn with an agent, and print its answer as it comes.",
    "chat": "Talk with an agent, turn by turn.",
    "acp": "Serve an editor over stdin and stdout.",
    "serve": "Serve a desk that outlives its clients.",
    "sessions": "List, show, join, change, name, check, prune, delete sessions.",
    "crew": "Run several agents in stages, and look at how they stand.",
    "agents": "List, show, create and validate agent configurations.",
    "trust": "Trust what a folder asks for, once you have seen it.",
    "engines": "List the agent programs, probe one, or log in to one.",
    "mcp": "Serve MCP hosts; list and try MCP servers.",
    "plugins": "List plugins, what they provide, and why one is missing.",
    "new-plugin": "Write a plugin that works, with its tests.",
    "check": "Check settings, plugins, the chosen backends and engines.",
    "connect": "Print what an editor needs to know, or write it there.",
    "completion": "Print the script that completes commands and names in a shell.",
}
"""Each is the name of a command and, with its dash as an underscore, of the module beside this one that holds it.

Behind it is what it says of itself in short, so that the list of all imports none.
"""


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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """As click does, without importing what it lists."""
        listed = [*(click.Command(name, help=text) for name, text in _FAMILIES.items()), *self.commands.values()]
        limit = formatter.width - 6 - max(len(command.name or "") for command in listed)
        with formatter.section("Commands"):
            formatter.write_dl([(command.name or "", command.get_short_help_str(limit)) for command in listed])


def example(*lines: str) -> str:
    """The end of a command's help, with its lines as they are typed."""
    return "\b\n" + "\n".join(["Example:", *(f"  {line}" for line in lines)])


@click.group(
    cls=LazyGroup,
    epilog=example('kiro-core run --engine rehearsal "Hello"'),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def kiro_core() -> None:
    """The front desk for coding agents: it opens, records and ends their sessions."""
