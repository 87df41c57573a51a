"""The Agent Client Protocol, version 1: towards agents (`Wire`) and over stdio towards clients (`Face`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from kiro_acp.face import StdioFace
from kiro_acp.wire import AcpWire
from kiro_core import Provider, hookimpl


class Acp(AcpWire, StdioFace):
    """Both directions under one name."""


@asynccontextmanager
async def _open(_: None) -> AsyncIterator[Acp]:
    yield Acp()


@hookimpl
def kiro_transports() -> Iterable[Provider[Any, Any]]:
    """Provide the transport `acp`."""
    yield Provider("acp", _open, summary="the Agent Client Protocol, version 1, over stdio")
