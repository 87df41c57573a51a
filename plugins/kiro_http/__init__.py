"""Health over HTTP, for whatever watches a desk and speaks no protocol of agents: `/healthz` and `/readyz`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from pydantic import BaseModel, ConfigDict, Field

from kiro_core import Provider, hookimpl
from kiro_core.ports import Face
from kiro_http.face import HttpFace


class HttpOptions(BaseModel):
    """The options of the transport `http`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(
        "127.0.0.1",
        min_length=1,
        description="The address to listen at. Whoever reaches it learns whether the desk is ready, and why not.",
    )
    port: int = Field(8080, ge=0, le=65535, description="The TCP port to listen at; 0 takes a free one.")


@asynccontextmanager
async def _open(options: HttpOptions) -> AsyncIterator[Face]:
    yield HttpFace(options.host, options.port)


@hookimpl
def kiro_transports() -> Iterable[Provider[Face, HttpOptions]]:
    """Provide the transport `http`."""
    yield Provider("http", _open, HttpOptions, "health checks over HTTP: /healthz and /readyz")
