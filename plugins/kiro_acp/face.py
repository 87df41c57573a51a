"""Our desk, there: an editor starts this program and speaks ACP over its stdin and stdout."""

from __future__ import annotations

from typing import Any

import anyio
from anyio.abc import TaskStatus

from kiro_acp.local import LocalAgent
from kiro_core import claim_stdio
from kiro_core.errors import KiroError
from kiro_core.ports import Attachable

_LAST_ANSWERS_S = 1.0


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
        speaking = anyio.CancelScope(shield=True)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_speak, local, speaking)
                task_status.started()
                try:
                    await _attended(local, desk)
                finally:
                    with anyio.move_on_after(_LAST_ANSWERS_S, shield=True):
                        await local.peer.served()
                    speaking.cancel()
        finally:
            await stream.aclose()


async def _speak(local: LocalAgent, speaking: anyio.CancelScope) -> None:
    # Shielded, so that answers still go out while a cancelled face closes its desk.
    with speaking:
        await local.peer.run()
    local.greeted.set()


async def _attended(local: LocalAgent, desk: Attachable) -> None:
    await local.greeted.wait()
    try:
        async with desk.attach(local.client) as agent:
            local.open(agent)
            await local.peer.ended.wait()
    except KiroError as error:
        local.fail(error)
        await local.peer.ended.wait()
