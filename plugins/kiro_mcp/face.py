"""Our desk, there: hosts of the Model Context Protocol, at stdin and stdout or over HTTP."""

from __future__ import annotations

from typing import Any

import anyio
from anyio.abc import TaskStatus
from anyio.lowlevel import current_token

from kiro_core import claim_stdio
from kiro_core.errors import PluginError
from kiro_core.ports import Desk
from kiro_mcp.options import McpOptions
from kiro_mcp.quiet import keep_what_is_said_out_of_the_log
from kiro_mcp.token import token_at, token_file


class StdioFace:
    """Implements `Face`: one host, and the program's life is the host's."""

    instead_of_stdio = "port"

    def __init__(self, options: McpOptions) -> None:
        """Serve with these options."""
        self._options = options

    async def serve(self, desk: Desk, *, task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve the host at stdin and stdout until it hangs up or this is cancelled.

        From here on nothing but protocol reaches stdout.

        Raises:
            SettingsError: the options are not good.

        """
        stream = claim_stdio()
        from kiro_mcp.server import build_server
        from kiro_mcp.stdio import converse

        keep_what_is_said_out_of_the_log()
        task_status.started()
        await converse(build_server(desk, self._options), stream)


class HttpFace:
    """Implements `Face`: many hosts, each with the token of `token_file`, which is made where there is none."""

    def __init__(self, options: McpOptions) -> None:
        """Serve with these options."""
        self._options = options
        self.token_file = token_file(options.token_file)

    async def serve(self, desk: Desk, *, task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve hosts until this is cancelled; started with the URL.

        Raises:
            PluginError: the program runs on another event loop than asyncio.
            SettingsError: the options are not good, nobody can or may listen there, or the token cannot be used.

        """
        if type(current_token().native_token).__module__.partition(".")[0] == "trio":
            raise PluginError(
                "MCP over HTTP runs on asyncio only, and this program runs on trio.",
                hint="Serve MCP over stdio here, or start the program on asyncio.",
            )
        token = token_at(self.token_file)
        from kiro_mcp.http import serve_http
        from kiro_mcp.server import build_server

        keep_what_is_said_out_of_the_log()
        await serve_http(build_server(desk, self._options), self._options, token, task_status=task_status)
