"""The commands about recorded sessions."""

from __future__ import annotations

import click

from kiro_core.cli.commands import example
from kiro_core.cli.sessions.archives import export, import_
from kiro_core.cli.sessions.attaching import attach
from kiro_core.cli.sessions.auditing import audit
from kiro_core.cli.sessions.deleting import delete
from kiro_core.cli.sessions.labelling import rename, tag
from kiro_core.cli.sessions.looking import list_, show_
from kiro_core.cli.sessions.pruning import prune
from kiro_core.cli.sessions.restoring import restore
from kiro_core.cli.sessions.swapping import reload, swap
from kiro_core.cli.sessions.taking import takeover
from kiro_core.cli.sessions.tree import tree
from kiro_core.cli.sessions.verifying import verify
from kiro_core.cli.sessions.watching import watch


@click.group(epilog=example("kiro-core sessions list --json", "kiro-core sessions show 3f2a"))
def sessions() -> None:
    """List, show, join, change, name, check, prune, delete sessions."""


_ALL = (list_, show_, watch, audit, attach, swap, reload, rename, tag, prune, restore, delete, export, import_)
for _each in (*_ALL, tree, verify, takeover):
    sessions.add_command(_each)
