"""The signals that ask the program to end, received in the event loop instead of breaking into it."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskStatus


async def follow_signals(
    told: Callable[[signal.Signals], Awaitable[None]],
    *,
    task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Call `told` for SIGINT, SIGTERM and SIGHUP, each time; a SIGHUP that `nohup` ignores stays ignored."""
    asking = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        asking.append(signal.SIGHUP)
    with anyio.open_signal_receiver(*asking) as received:
        task_status.started()
        async for number in received:
            await told(number)
