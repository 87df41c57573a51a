"""The Agent Client Protocol, version 1: towards agents (`Wire`), over stdio or a socket towards clients (`Face`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from kiro_acp.face import SocketFace, StdioFace
from kiro_acp.wire import AcpWire
from kiro_core import Provider, hookimpl

if TYPE_CHECKING:
    from kiro_acp.options import AcpOptions


class OverStdio(AcpWire, StdioFace):
    """Both directions under one name."""


class AtSocket(AcpWire, SocketFace):
    """The same, where many clients come to one place."""


@asynccontextmanager
async def _open(options: AcpOptions | None) -> AsyncIterator[AcpWire]:
    yield OverStdio() if options is None else AtSocket(options.socket)


def _options() -> type[AcpOptions]:
    from kiro_acp.options import AcpOptions

    return AcpOptions


@hookimpl
def kiro_transports() -> Iterable[Provider[Any, Any]]:
    """Provide the transport `acp`."""
    summary = "the Agent Client Protocol, version 1, over stdio or at a local socket"
    yield Provider("acp", _open, _options, summary)
