"""Writes a plugin that works, so that an author begins with a change and not with an empty folder."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kiro_core.cli.commands import example
from kiro_core.cli.failing import DONE, attempt
from kiro_core.cli.logs import begin_logging
from kiro_core.cli.text import show

KINDS = ("store", "launcher", "transport", "agents", "middleware")


@click.command(
    "new-plugin",
    epilog=example("kiro-core new-plugin acme-vault --kind store", "kiro-core new-plugin kiro-docker --kind launcher"),
)
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What it provides.")
@click.option(
    "--directory", type=click.Path(path_type=Path), help="The folder to write, new or empty, instead of ./NAME."
)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def new_plugin(*, name: str, kind: str, directory: Path | None, debug: bool) -> None:
    """Write a plugin that works, with its tests.

    NAME is that of the distribution, such as acme-vault: then the package is acme_vault, and the settings call it
    acme-vault. Of kiro-docker they say docker.

    It is small and keeps the contract of its kind. Its README says what to change first.
    """
    begin_logging(0, debug=debug)
    sys.exit(attempt(lambda: _written(name, kind, directory or Path(name)), debug=debug))


def _written(name: str, kind: str, folder: Path) -> int:
    from kiro_core.cli.new_plugin.kinds import ABOUT
    from kiro_core.cli.new_plugin.naming import Names, check_free
    from kiro_core.cli.new_plugin.rendering import begin_with, rendered
    from kiro_core.cli.new_plugin.writing import write

    names = Names.of(name)
    check_free(names, ABOUT[kind].catalog)
    write(folder, rendered(kind, names))
    show(begin_with(kind, names, folder))
    return DONE
