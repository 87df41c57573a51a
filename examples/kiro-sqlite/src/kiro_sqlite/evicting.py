"""End the process that holds a session, by force, but never another one than that: its death frees the session."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
from kiro_core.processes import signal_process

from .lease import until_free
from .owner import held, mark_in
from .sessions import Row, holder


async def evict(row: Row, owners: Path, timeout_s: float) -> Mapping[str, Any]:
    """See `SessionStore.evict`; `owners` is the folder of the pipes.

    Raises:
        Held: it cannot be proven who the owner is, it is this process or another user's, or it did not end.
        OSError: the pipe cannot be opened.

    """
    owner = holder(row, owners)
    if not owner:
        return {}
    mark = mark_in(owner)
    if mark.pid == os.getpid() and mark.alive:
        raise held(row.id, owner, ", that is this very process", "Close the session here.")
    if not mark.alive:
        raise held(row.id, owner, "; nothing proves from here which process that is", "End it where it runs.")
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            signal_process(mark, number)
        except PermissionError as error:
            raise held(row.id, owner, ", which is another user's", "Ask them to end it.") from error
        with anyio.move_on_after(timeout_s):
            await until_free(owners / row.lease)
            return owner
    raise held(row.id, owner, "; it was killed and has not ended", "Look at it with `ps`.")
