"""Gets sessions back from the trash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import trashed_ids
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given, command
from kiro_core.cli.sessions.at_desk import at_desk
from kiro_core.cli.text import tell

if TYPE_CHECKING:
    from kiro_core.ports import Desk


@click.command(epilog=example("kiro-core sessions list --trash", "kiro-core sessions restore 3f2a"))
@click.argument("written", metavar="ID...", nargs=-1, required=True, shell_complete=trashed_ids)
@command
def restore(given: Given, *, written: Sequence[str]) -> int:
    """Get sessions back from the trash, with all that was said in them.

    The beginning of an ID is enough. A session comes back as one that was used just now, and without its name
    where another one of its folder has that meanwhile.
    """

    async def work(desk: Desk) -> None:
        from kiro_core.cli.finding import find_session

        for info in [await find_session(desk, text, trashed=True) for text in written]:
            restored = await desk.restore(info.id)
            told = "restored" if info.trashed else "was not in the trash"
            if info.name != restored.name:
                told += f", without its name '{info.name}', which another session of its folder has now"
            tell(f"{info.id}: {told}")

    at_desk(given, work)
    return DONE
