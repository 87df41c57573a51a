"""Health over HTTP, for whatever watches a desk and speaks no protocol of agents: `/healthz` and `/readyz`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from kiro_core import Provider, hookimpl

if TYPE_CHECKING:
    from kiro_core.ports import Face
    from kiro_http.options import HttpOptions


@asynccontextmanager
async def _open(options: HttpOptions | None) -> AsyncIterator[Face]:
    from kiro_http.face import HttpFace

    given = options or _options()()
    yield HttpFace(given.host, given.port)


def _options() -> type[HttpOptions]:
    from kiro_http.options import HttpOptions

    return HttpOptions


@hookimpl
def kiro_transports() -> Iterable[Provider[Face, HttpOptions]]:
    """Provide the transport `http`."""
    yield Provider("http", _open, _options, "health checks over HTTP: /healthz and /readyz")
