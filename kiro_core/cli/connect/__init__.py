"""Shows what an editor or an MCP host needs in its settings to start this program, or writes it there."""

from __future__ import annotations

import json

import click

from kiro_core.cli.commands import example
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given, choosing, command
from kiro_core.cli.text import show, tell


@click.command(epilog=example("kiro-core connect zed", "kiro-core connect claude-code --engine codex --write"))
@click.argument(
    "editor", type=click.Choice(["zed", "jetbrains", "vscode", "claude-code", "copilot", "cursor", "gemini"])
)
@click.option("--write", is_flag=True, help="Write it into its own settings; everything else stays as it is.")
@choosing
@command
def connect(given: Given, *, editor: str, write: bool, agent: str, engine: str) -> int:
    """Print what an editor needs to know, or write it there.

    The first three get sessions over ACP, the others as tools over MCP. With --agent, --engine or --config
    they start it so.
    """
    from kiro_core.cli.connect.editors import EDITORS, ENTRY
    from kiro_core.cli.connect.merging import add_entry
    from kiro_core.engines.logins import own_program

    place = EDITORS[editor]
    config = str(given.config.expanduser().absolute()) if given.config else ""
    options = {"--agent": agent, "--engine": engine, "--config": config}
    arguments = [part for option, value in options.items() if value for part in (option, value)]
    entry = place.entry(own_program(), arguments)
    if place.needs:
        tell(place.needs)
    if not write:
        tell(f"It belongs into {place.path()}; --write puts it there.")
        show(json.dumps({place.table: {ENTRY: entry}}, indent=2, ensure_ascii=False) + "\n")
        return DONE
    kept = add_entry(place.path(), place.table, ENTRY, entry)
    show(f"{place.title} finds {ENTRY} in {place.path()}.\n")
    if kept is not None:
        tell(f"The file as it was is kept as {kept}.")
    return DONE
