"""A face of this machine and this user alone: what a plugin needs to serve at a local socket, in one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from typing import Any

import anyio
from anyio.abc import TaskStatus

from kiro_core.control.listening import attend, bound
from kiro_core.errors import SettingsError
from kiro_core.inherited import take_inherited
from kiro_core.stdio import PipeStream


async def serve_at(
    place: str,
    serve: Callable[[PipeStream], Awaitable[None]],
    *,
    task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the processes of this user at a socket, 100 at once, until this is cancelled; started with the place.

    `place` is the absolute path of the socket (0600, in a folder that is this user's alone), or the name of
    one that a service manager handed over. `serve` has a connection each, and closes it.

    Raises:
        SettingsError: no socket of that name was handed over.
        Unavailable: nobody can listen there, or somebody does.

    """
    with _listener(place) as (listener, path):
        task_status.started(path)
        await attend(listener, serve)


@contextmanager
def _listener(place: str) -> Iterator[tuple[socket, str]]:
    path = Path(place).expanduser()
    if path.is_absolute():
        with bound(path) as listener:
            yield listener, str(path)
        return
    handed = take_inherited(place)
    if handed is None:
        raise SettingsError(
            f"No socket called {place!r} was handed over by a service manager.",
            hint="Write an absolute path, or FileDescriptorName= in a systemd socket unit.",
        )
    with handed:
        yield handed, str(handed.getsockname() or place)
