"""Declares the transport `example`; the entry point in pyproject.toml leads here."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from kiro_core import Provider, hookimpl
from pydantic import BaseModel, ConfigDict, Field

from .transport import LengthTransport


class Options(BaseModel):
    """What the settings may say; anything else in them is an error that names the key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    socket: Path | None = Field(None, description="Where clients come, as an absolute path; agents need none.")


@asynccontextmanager
async def _open(options: Options) -> AsyncIterator[LengthTransport]:
    yield LengthTransport(options.socket)


@hookimpl
def kiro_transports() -> Iterator[Provider[LengthTransport, Options]]:
    """Declare it; this is called once, when plugins are loaded."""
    yield Provider("example", _open, Options, "messages of ACP behind their lengths")
