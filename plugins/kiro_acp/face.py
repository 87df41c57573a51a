"""Our desk, there: an editor speaks ACP with it, over the stdio of a program that it started or at a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskStatus

from kiro_acp.local import LocalAgent
from kiro_core import PipeStream, claim_stdio
from kiro_core.errors import KiroError
from kiro_core.rpc import speaking

if TYPE_CHECKING:
    from kiro_core.ports import Attachable


class StdioFace:
    """Implements `Face`: one connection, and the program's life is the connection's."""

    instead_of_stdio = "socket"

    async def serve(self, desk: Attachable, *, task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve the client at stdin and stdout until it hangs up or this is cancelled.

        From here on nothing but protocol reaches stdout.
        """
        stream = claim_stdio()
        task_status.started()
        await converse(stream, desk)


class SocketFace:
    """Implements `Face`: a connection for each client that comes, and none of them ends the others."""

    def __init__(self, place: str) -> None:
        """Listen at a path, or at what a service manager handed over under that name."""
        self._place = place

    async def serve(self, desk: Attachable, *, task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve the clients of this user until this is cancelled; see `serve_at`."""
        from kiro_core import serve_at

        async def connected(stream: PipeStream) -> None:
            await converse(stream, desk)

        await serve_at(self._place, connected, task_status=task_status)


async def converse(stream: PipeStream, desk: Attachable) -> None:
    """Serve one connection until its end.

    The desk is entered only after `initialize` was answered, so its opening may be slow; when this
    ends, what the closing desk has to say still goes out.
    """
    local = LocalAgent(stream, desk.logins)
    try:
        async with speaking(local.peer, local.greeted.set):
            await _attended(local, desk)
    finally:
        await stream.aclose()


async def _attended(local: LocalAgent, desk: Attachable) -> None:
    await local.greeted.wait()
    try:
        async with desk.attach(local.client) as agent:
            local.open(agent)
            await local.peer.ended.wait()
    except KiroError as error:
        local.fail(error)
        await local.peer.ended.wait()
