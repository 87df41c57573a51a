"""Finds the id of the session that was used last, as a person does: in the list."""

from __future__ import annotations

from kiro_core.cli.demo.shell import Shell
from kiro_core.errors import KiroError

_SHORT = 8


async def newest(shell: Shell, name: str) -> str:
    """The beginning of its id.

    Raises:
        KiroError: it has another name than this.

    """
    told = await shell.run("sessions", "list", "--limit", "1")
    rows = [line.split() for line in told.output.splitlines()[1:2]]
    if not rows or name not in rows[0]:
        raise KiroError(f"The session {name} is not listed as the newest.")
    return rows[0][0][:_SHORT]
