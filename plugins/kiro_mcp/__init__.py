"""Sessions as tools: hosts of the Model Context Protocol open, drive, watch and end sessions, over stdio or HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from kiro_core import Provider, hookimpl
from kiro_core.ports import Face, ToolServer

if TYPE_CHECKING:
    from kiro_mcp.options import McpOptions
    from kiro_mcp.server import build_server as build_server

__all__ = ["build_server", "kiro_transports"]

if find_spec("mcp") is None:
    message = "the official SDK of the Model Context Protocol is not installed"
    raise ModuleNotFoundError(message, name="mcp")


@asynccontextmanager
async def _open(options: McpOptions | None) -> AsyncIterator[Face]:
    from kiro_mcp.face import HttpFace, StdioFace
    from kiro_mcp.options import McpOptions

    options = options or McpOptions()
    yield StdioFace(options) if options.port is None else HttpFace(options)


def _options() -> type[McpOptions]:
    from kiro_mcp.options import McpOptions

    return McpOptions


@asynccontextmanager
async def _open_crew(_: Any) -> AsyncIterator[ToolServer]:
    # In a thread: the desk has other things to do in the second that it takes the first time.
    module = await to_thread.run_sync(import_module, "kiro_mcp.crew")
    yield module.AgentTools()


@hookimpl
def kiro_transports() -> Iterable[Provider[Any, Any]]:
    """Provide the transport `mcp`, and the tools of a crew for agents."""
    yield Provider("crew", _open_crew, summary="the tools of a crew, for the agents of sessions")
    yield Provider("mcp", _open, _options, "sessions as tools of the Model Context Protocol, over stdio or HTTP")


def __getattr__(name: str) -> Any:
    """Load what needs the SDK when somebody asks for it: that takes most of a second."""
    if name != "build_server":
        unknown = f"module 'kiro_mcp' has no attribute {name!r}"
        raise AttributeError(unknown)
    from kiro_mcp.server import build_server

    return build_server
