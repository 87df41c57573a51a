"""Sessions of kiro_core in one SQLite file, for who wants to copy, query and back up a single file."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from kiro_core import Provider, hookimpl
from kiro_core.ports import SessionStore
from pydantic import BaseModel, ConfigDict, Field, field_validator


def _default_path() -> Path:
    return Path(os.environ.get("KIRO_HOME") or "~/.kiro") / "sessions" / "core.db"


class SqliteOptions(BaseModel):
    """The options of the store `sqlite`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(
        default_factory=_default_path,
        validate_default=True,
        description="The file of all sessions, on a disk of this machine; made (0600) when it is missing.",
    )
    busy_s: float = Field(10.0, gt=0, le=600, description="Seconds to wait while another process writes to the file.")

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()


@asynccontextmanager
async def open_store(options: SqliteOptions) -> AsyncIterator[SessionStore]:
    """Open the store of one file, which is made first where it is missing.

    Raises on entering:
        Unavailable: it cannot be made or read, or is of a newer version.

    """
    from .database import open_database
    from .store import SqliteStore

    async with open_database(options.path, options.busy_s) as database:
        yield SqliteStore(database)


@hookimpl
def kiro_stores() -> Iterator[Provider[SessionStore, SqliteOptions]]:
    """Offer the store `sqlite`."""
    yield Provider("sqlite", open_store, SqliteOptions, "all sessions in one SQLite file")
