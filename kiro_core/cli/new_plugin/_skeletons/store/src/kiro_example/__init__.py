"""Declares the store `example`; the entry point in pyproject.toml leads here."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from kiro_core import Provider, hookimpl
from pydantic import BaseModel, ConfigDict, Field

from .store import FolderStore


class Options(BaseModel):
    """What the settings may say; anything else in them is an error that names the key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    root: Path = Field(Path("~/.kiro/example"), description="Where sessions are.")


@asynccontextmanager
async def _open(options: Options) -> AsyncIterator[FolderStore]:
    yield FolderStore(options.root.expanduser().absolute())


@hookimpl
def kiro_stores() -> Iterator[Provider[FolderStore, Options]]:
    """Declare it; this is called once, when plugins are loaded."""
    yield Provider("example", _open, Options, "a folder a session, a line a batch")
