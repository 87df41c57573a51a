"""Reads on while something runs: what cancels or leaves does so at once, and a question finds somebody to answer it."""

from __future__ import annotations

from contextlib import aclosing

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from kiro_core.cli.chat.leaving import Leaving
from kiro_core.cli.chat.screen import Screen
from kiro_core.cli.chat.told import Told
from kiro_core.cli.failing import DONE


async def read_ahead(screen: Screen, leaving: Leaving, post: MemoryObjectSendStream[str]) -> None:
    """Pass on what is typed; at the end of the input, or by /quit, leave.

    It never waits until a line is taken, for what holds that up may be a question.
    """
    async with post, aclosing(screen.lines()) as lines:
        async for line in lines:
            if line.strip() == "/quit":
                break
            if line.strip() == "/cancel" and leaving.busy:
                leaving.cancel()
                continue
            try:
                post.send_nowait(line)
            except anyio.WouldBlock:
                await screen.show(Told("failure", "kiro-core: Too many lines wait; the last one was dropped."))
    leaving.leave(DONE)
