"""What all requests of one server share, for as long as it serves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import anyio
from anyio.abc import TaskGroup
from mcp.server import ServerRequestContext
from mcp.server.subscriptions import ListenHandler

from kiro_core.errors import SettingsError
from kiro_core.ports import Desk
from kiro_mcp.options import McpOptions
from kiro_mcp.server.hosting import Connections
from kiro_mcp.server.subscribing import Changes
from kiro_mcp.service import Service, open_service
from kiro_mcp.service.failing import ToolFailure


@dataclass(frozen=True, slots=True)
class Serving:
    """The lifespan of the SDK's server: the service, who has come, and what they are told of changes."""

    service: Service
    connections: Connections
    changes: Changes
    listen: ListenHandler
    tasks: TaskGroup


Context: TypeAlias = ServerRequestContext[Serving, Any]


@asynccontextmanager
async def open_serving(desk: Desk, options: McpOptions) -> AsyncIterator[Serving]:
    """Serve a desk; leaving ends what was begun here.

    Raises on entering:
        SettingsError: the options are not good.

    """
    changes = Changes()
    async with _opened(desk, options) as service, anyio.create_task_group() as tasks:
        tasks.start_soon(changes.run)
        forget = service.subscribe(changes.note)
        try:
            yield Serving(service, Connections(service), changes, ListenHandler(changes), tasks)
        finally:
            forget()
            tasks.cancel_scope.cancel()


@asynccontextmanager
async def _opened(desk: Desk, options: McpOptions) -> AsyncIterator[Service]:
    opened = False
    try:
        async with open_service(desk, options) as service:
            opened = True
            yield service
    except ToolFailure as failure:
        if opened:
            raise
        raise SettingsError(failure.sentence, hint=failure.hint) from failure
