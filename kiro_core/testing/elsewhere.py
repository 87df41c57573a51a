"""Opens the backend under test in a process of its own, by its name alone: what is shared, or killed, is real then."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib import import_module
from subprocess import PIPE
from typing import Any, Final, Protocol

import anyio
from anyio.abc import Process

from kiro_core import claim_stdio
from kiro_core.catalog import Choice
from kiro_core.registry import Registry

BOUND_S = 60
_ENDING_S = 10


class Lines:
    """One JSON value a line, there and back."""

    def __init__(self, receive: Callable[[], Awaitable[bytes]], send: Callable[[bytes], Awaitable[None]]) -> None:
        """Speak through the two halves of a stream."""
        self._receive = receive
        self._send = send
        self._rest = b""

    async def say(self, value: Any) -> None:
        """Write one value."""
        await self._send(json.dumps(value).encode() + b"\n")

    async def hear(self) -> Any:
        """The next value, None at the end; a line that was cut off there is no value."""
        while b"\n" not in self._rest:
            try:
                self._rest += await self._receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return None
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)


class Elsewhere:
    """A program of the kit that runs in a process of its own: told one object a line, it answers with one."""

    def __init__(self, process: Process, lines: Lines) -> None:
        """Speak with that process."""
        self._process = process
        self._lines = lines
        self.pid: Final = process.pid
        self.hear: Final = lines.hear

    async def begin(self, do: str, **what: Any) -> None:
        """Tell it something that takes longer, or has several answers, which are heard later."""
        await self._lines.say({"do": do, **what})

    async def ask(self, do: str, **what: Any) -> Any:
        """Tell it something: its answer."""
        with anyio.fail_after(BOUND_S):
            await self.begin(do, **what)
            return await self.hear()

    async def killed(self) -> None:
        """End it by SIGKILL; nothing of it runs on return."""
        self._process.kill()
        with anyio.fail_after(_ENDING_S):
            await self._process.wait()

    async def ended(self) -> int:
        """Wait for its end: its status, or minus the number of the signal."""
        with anyio.fail_after(BOUND_S):
            return await self._process.wait()


StartedElsewhere = Callable[[], AbstractAsyncContextManager[Elsewhere]]
"""Starts one more process; it is killed behind the block if it still runs."""


@asynccontextmanager
async def elsewhere(program: str, order: Mapping[str, Any]) -> AsyncIterator[Elsewhere]:
    """Start a module of the kit with an order, as `serving` takes it."""
    argv = [sys.executable, "-P", "-m", f"{__package__}.{program}", json.dumps(order, default=os.fspath)]
    process = await anyio.open_process(argv, stdin=PIPE, stdout=PIPE, stderr=None)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Elsewhere(process, Lines(process.stdout.receive, process.stdin.send))
    finally:
        with anyio.move_on_after(_ENDING_S, shield=True):
            if process.returncode is None:
                process.kill()
            await process.aclose()


class Program(Protocol):
    """What a module of the kit does in the process that was started for it."""

    async def __call__(self, backend: Any, lines: Lines) -> None:
        """Use the backend as the lines tell, until there are no more."""
        ...


def serve(program: Program) -> None:
    """Run a program of the kit with the order of the command line: `{kind, provider, plugin, only, path, ...}`."""
    order = json.loads(sys.argv[1])
    sys.path[:] = order["path"]
    anyio.run(partial(_serve, program, order), backend=order["backend"])


async def _serve(program: Program, order: Mapping[str, Any]) -> None:
    stream = claim_stdio()
    given = [import_module(order["plugin"])] if order["plugin"] else []
    registry = Registry(*given, installed=not given, only=None if given else [order["only"]])
    async with getattr(registry, order["kind"]).open(Choice(order["provider"], order["options"])) as backend:
        await program(backend, Lines(stream.receive, stream.send))
    await stream.aclose()
