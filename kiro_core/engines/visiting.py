"""Starts an agent program without a session, to hear what it says of itself or to log in, and ends it again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio

from kiro_core.errors import AgentTimeout, Disconnected, LaunchFailed, RpcError, unwrapped
from kiro_core.explain import last_words
from kiro_core.frames import Frame
from kiro_core.ports import Agent, Client, Launcher, Process, Wire
from kiro_core.rpc import METHOD_NOT_FOUND
from kiro_core.types import Command, Engine, PeerInfo

_LAST_WORDS_S = 1.0


class Nobody:
    """Implements `Client` where no person is behind it: it offers nothing."""

    info: Final = PeerInfo("kiro_core")

    async def notify(self, frames: Sequence[Frame]) -> None:
        """What an agent says before it has a session is for nobody."""

    async def request(self, frame: Frame) -> Frame:
        """Refuse."""
        raise RpcError(METHOD_NOT_FOUND, f"Nobody is here to answer {frame.method}.")


@asynccontextmanager
async def visited(
    engine: Engine, launcher: Launcher, wire: Wire, client: Client, start_s: float
) -> AsyncIterator[Agent]:
    """Start an engine and introduce ourselves as `client`; leaving ends the program.

    Raises on entering:
        LaunchFailed: it cannot be started, or ended before it had introduced itself.
        AgentTimeout: it did not introduce itself within `start_s` seconds.
        RpcError: it refused, or speaks another protocol.

    """
    # It belongs to no folder of work, so it gets the one that is its user's.
    command = Command(tuple(engine.command), str(Path.home()), engine.env, tuple(engine.unset))
    process: Process | None = None
    try:
        with unwrapped():
            async with launcher.launch(command) as process, wire.connect(process, client, start_s) as agent:
                yield agent
    except Disconnected as error:
        raise await _ended(engine, process) from error
    except AgentTimeout as error:
        error.hint = f"{error.hint} {_last_words(process)}".strip()
        raise


async def _ended(engine: Engine, process: Process | None) -> LaunchFailed:
    status = "ended"
    if process is not None:
        with anyio.move_on_after(_LAST_WORDS_S, shield=True):
            status = f"ended with {await process.wait()}"
    sentence = f"The agent program {engine.command[0]!r} of the engine '{engine.name}' {status} before it had answered."
    return LaunchFailed(sentence, hint=_last_words(process))


def _last_words(process: Process | None) -> str:
    return last_words(process.stderr_tail() if process is not None else "")
