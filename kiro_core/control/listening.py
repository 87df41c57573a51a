"""A desk listens at a local socket: other processes of its user come in, and none of them can hold it up."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from kiro_core.control.front import ControlVerbs, Front
from kiro_core.control.meeting import as_stream
from kiro_core.control.places import address, listens, make_folder, remove_stale
from kiro_core.control.receiving import receive
from kiro_core.control.users import is_ours
from kiro_core.errors import Unavailable
from kiro_core.stdio import PipeStream

_LOG = logging.getLogger(__name__)
_CONNECTIONS = 100
_WAITING = 128
_NO_ROOM_S = 0.2


@contextmanager
def bound(path: Path) -> Iterator[socket.socket]:
    """A socket that listens at `path` while the block runs, and replaces what a killed desk left there.

    It gets its name when it already listens, so that nobody meets one that does not answer.

    Raises on entering:
        Unavailable: it cannot be made there, or somebody listens there.

    """
    make_folder(path.parent)
    if listens(path):
        raise Unavailable(f"Another process listens at {path}.", hint="End that one, or choose another path.")
    remove_stale(path.parent)
    coming = path.with_name(f"{path.name}.new")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            coming.unlink(missing_ok=True)
            with address(coming) as name:
                listener.bind(name)
            coming.chmod(0o600)
            listener.listen(_WAITING)
            coming.rename(path)
        except OSError as error:
            with suppress(OSError):
                coming.unlink()
            raise Unavailable(f"No desk can listen at {path}: {error.strerror or error}.") from error
        try:
            yield listener
        finally:
            with suppress(OSError):
                path.unlink()
    finally:
        listener.close()


@asynccontextmanager
async def listen(listener: socket.socket, front: Front, verbs: ControlVerbs | None = None) -> AsyncIterator[None]:
    """Let other processes in while the block runs; what they have asked then is still answered, for a second.

    `listener` listens already (see `bound`, or what a service manager handed over) and stays the caller's.
    """

    async def serve(stream: PipeStream) -> None:
        await receive(stream, front, verbs)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(attend, listener, serve)
        try:
            yield
        finally:
            tasks.cancel_scope.cancel()


async def attend(listener: socket.socket, serve: Callable[[PipeStream], Awaitable[None]]) -> None:
    """Serve each connection in a task of its own, until this is cancelled: those of this user, 100 at once.

    `serve` closes the stream; what it raises ends that one connection, and is logged.
    """
    listener.settimeout(0)
    door = _Door(serve)
    async with anyio.create_task_group() as tasks:
        await door.attend(listener, tasks)


class _Door:
    """Who is let in, and how many."""

    def __init__(self, serve: Callable[[PipeStream], Awaitable[None]]) -> None:
        self._served = serve
        self._inside = 0
        self._strangers = 0

    async def attend(self, listener: socket.socket, tasks: TaskGroup) -> None:
        while True:
            await anyio.wait_readable(listener)
            try:
                connection, _ = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                continue
            except OSError as error:
                # Readiness would be told again at once, and again, until a descriptor is free.
                _LOG.warning("a connection to this desk could not be taken: %s", error.strerror)
                await anyio.sleep(_NO_ROOM_S)
                continue
            if self._may_enter(connection):
                tasks.start_soon(self._serve, connection)
            else:
                connection.close()

    def _may_enter(self, connection: socket.socket) -> bool:
        if not is_ours(connection):
            self._strangers += 1
            if self._strangers == 1:
                _LOG.warning("another user tried to reach this desk and was refused")
            return False
        if self._inside >= _CONNECTIONS:
            _LOG.info("a connection was refused: %d are open", _CONNECTIONS)
            return False
        return True

    async def _serve(self, connection: socket.socket) -> None:
        self._inside += 1
        try:
            await self._served(as_stream(connection))
        except Exception:  # noqa: BLE001 - a connection is a boundary: its failure ends neither desk nor session
            _LOG.exception("a connection to this desk failed")
        finally:
            self._inside -= 1
