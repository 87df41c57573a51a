"""Our desk, there: hosts of the Model Context Protocol, at stdin and stdout or over HTTP."""

from __future__ import annotations

from typing import Any

import anyio
from anyio.abc import TaskStatus

from kiro_core.errors import SettingsError
from kiro_core.ports import Desk
from kiro_mcp.options import McpOptions


class StdioFace:
    """Implements `Face`: one host, and the program's life is the host's."""

    instead_of_stdio = "port"

    def __init__(self, options: McpOptions) -> None:
        """Serve with these options."""
        self._options = options

    async def serve(self, desk: Desk, *, task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED) -> None:  # noqa: ARG002
        """Serve the host at stdin and stdout until it hangs up or this is cancelled."""
        raise SettingsError("MCP is not served yet.")


class HttpFace:
    """Implements `Face`: many hosts, each with the token."""

    def __init__(self, options: McpOptions) -> None:
        """Serve with these options."""
        self._options = options

    async def serve(self, desk: Desk, *, task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED) -> None:  # noqa: ARG002
        """Serve hosts until this is cancelled; started with the URL."""
        raise SettingsError("MCP is not served yet.")
