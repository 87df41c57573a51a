"""The signals that ask the program to end, received in the event loop instead of breaking into it."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskStatus

from kiro_core.cli.failing import DONE
from kiro_core.errors import unwrapped


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


async def until_signalled(work: Callable[[], Awaitable[object]]) -> int:
    """Do some work to its end, or until a signal ends it: 0, or 128 and the signal's number."""
    signals: list[signal.Signals] = []
    working = anyio.CancelScope()

    async def end(number: signal.Signals) -> None:
        signals.append(number)
        working.cancel()

    with unwrapped():
        async with anyio.create_task_group() as tasks:
            await tasks.start(follow_signals, end)
            with working:
                await work()
            tasks.cancel_scope.cancel()
    return 128 + signals[0] if signals else DONE
