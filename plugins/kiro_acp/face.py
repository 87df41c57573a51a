"""Our desk, there: an editor starts this program and speaks ACP over its stdin and stdout."""

from __future__ import annotations

from typing import Any

import anyio
from anyio.abc import TaskStatus

from kiro_acp.local import LocalAgent
from kiro_core import claim_stdio
from kiro_core.errors import KiroError
from kiro_core.ports import Attachable
from kiro_core.rpc import speaking


class StdioFace:
    """Implements `Face`: one connection, and the program's life is the connection's."""

    async def serve(self, desk: Attachable, *, task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve the client at stdin and stdout until it hangs up or this is cancelled.

        From here on nothing but protocol reaches stdout. The desk is entered only after `initialize`
        was answered, so its opening may be slow; when this ends, what the closing desk has to say
        still goes out.
        """
        stream = claim_stdio()
        local = LocalAgent(stream, desk.logins)
        try:
            async with speaking(local.peer, local.greeted.set):
                task_status.started()
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
