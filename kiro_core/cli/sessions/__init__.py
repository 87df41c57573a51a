"""The commands about recorded sessions, none of which starts an agent."""

from __future__ import annotations

import click

from kiro_core.cli.commands import example
from kiro_core.cli.sessions.archives import export, import_
from kiro_core.cli.sessions.deleting import delete
from kiro_core.cli.sessions.labelling import rename, tag
from kiro_core.cli.sessions.looking import list_, show_
from kiro_core.cli.sessions.taking import takeover
from kiro_core.cli.sessions.verifying import verify


@click.group(epilog=example("kiro-core sessions list --json", "kiro-core sessions show 3f2a"))
def sessions() -> None:
    """List, show, name, move, check, free, delete recorded sessions."""


for each in (list_, show_, rename, tag, delete, export, import_, verify, takeover):
    sessions.add_command(each)
