"""MCP over HTTP, as the SDK serves it, at an address of our own and within bounds."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import anyio
import uvicorn
from anyio.abc import TaskGroup, TaskStatus
from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from kiro_core.errors import unwrapped
from kiro_mcp.gate import LARGEST_BODY, PATH, Gate
from kiro_mcp.listening import bracketed, callers, listening
from kiro_mcp.options import McpOptions
from kiro_mcp.server.hosting import MOST_CONNECTIONS
from kiro_mcp.strangers import Impatient, Strangers

_AT_ONCE = 256
_LARGEST_HEAD = 16 * 1024
_IDLE_S = 1800.0
_ANSWERED_S = 2.0
_ENDED_S = 5.0


async def serve_http(server: Server[Any], options: McpOptions, token: str, *, task_status: TaskStatus[Any]) -> None:
    """Serve hosts until this is cancelled; started with the URL.

    Raises:
        SettingsError: nobody can or may listen there.
        KiroError: the service could not be opened.

    """
    with await listening(options) as listener, unwrapped():
        port = listener.getsockname()[1]
        manager = StreamableHTTPSessionManager(
            server,
            security_settings=callers(options, port),
            max_request_body_size=LARGEST_BODY,
            max_sessions=MOST_CONNECTIONS,
            session_idle_timeout=_IDLE_S,
        )
        strangers = Strangers()
        gate = Gate(strangers.recognising(manager.handle_request), token, _IDLE_S)
        async with manager.run(), anyio.create_task_group() as tasks:
            tasks.start_soon(gate.visits.run)
            task_status.started(f"http://{bracketed(options.host)}:{port}{PATH}")
            await _run(_Uvicorn(_config(gate, strangers)), gate, listener, tasks)


async def _run(program: _Uvicorn, gate: Gate, listener: socket.socket, tasks: TaskGroup) -> None:
    """Run uvicorn until this is cancelled, and then until its answers are out."""
    running = anyio.CancelScope(shield=True)
    ended = anyio.Event()

    async def run() -> None:
        try:
            with running:
                await program.serve(sockets=[listener])
        finally:
            ended.set()

    tasks.start_soon(run)
    try:
        await ended.wait()
    finally:
        with anyio.CancelScope(shield=True):
            await gate.end(_ANSWERED_S)
            program.should_exit = True
            with anyio.move_on_after(_ENDED_S):
                await ended.wait()
        running.cancel()


class _Uvicorn(uvicorn.Server):
    """Without signal handlers: the program that serves has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


def _config(gate: Gate, strangers: Strangers) -> uvicorn.Config:
    return uvicorn.Config(
        gate,
        http=cast("type[Any]", partial(Impatient, strangers)),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=_AT_ONCE,
        timeout_graceful_shutdown=int(_ENDED_S),
        h11_max_incomplete_event_size=_LARGEST_HEAD,
    )
