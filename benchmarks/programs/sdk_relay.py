"""The baseline `SDK proxy`: what a proxy costs that is made of the protocol's official SDK."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from acp.connection import Connection

_LIMIT = 2**24


class Side:
    """What comes in here goes out at the other side."""

    def __init__(self) -> None:
        """Lead nowhere yet."""
        self.other: Connection

    async def __call__(self, method: str, params: Any, is_notification: bool) -> Any:  # noqa: FBT001 - the SDK's
        """Pass one message on."""
        if is_notification:
            return await self.other.send_notification(method, params)
        return await self.other.send_request(method, params)


async def main() -> None:
    """Start the agent of the command line, and stand between it and our stdin and stdout."""
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader(_LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout)
    stdout = asyncio.StreamWriter(transport, protocol, None, loop)
    pipe = asyncio.subprocess.PIPE
    agent = await asyncio.create_subprocess_exec(*sys.argv[1:], stdin=pipe, stdout=pipe, limit=_LIMIT)
    if agent.stdin is None or agent.stdout is None:
        raise SystemExit("The agent has no pipes.")
    from_agent, from_editor = Side(), Side()
    from_editor.other = Connection(from_agent, agent.stdin, agent.stdout, listening=False)
    from_agent.other = Connection(from_editor, stdout, stdin)
    await from_editor.other.main_loop()


if __name__ == "__main__":
    asyncio.run(main())
