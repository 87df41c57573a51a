"""Store sessions as plain files, so that they can be read, copied and repaired with any tool."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from kiro_core import Provider, hookimpl
from kiro_core.ports import SessionStore


def _default_root() -> Path:
    return Path(os.environ.get("KIRO_HOME") or "~/.kiro") / "sessions" / "core"


class FilesOptions(BaseModel):
    """What settings may say: `root` is the folder of all sessions, created (0700) on first need."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    root: Path = Field(
        default_factory=_default_root,
        validate_default=True,
        description="The folder of all sessions, made on first need; by default `sessions/core` in Kiro's folder.",
    )

    @field_validator("root")
    @classmethod
    def _absolute(cls, root: Path) -> Path:
        return root.expanduser().absolute()


@asynccontextmanager
async def open_store(options: FilesOptions) -> AsyncIterator[SessionStore]:
    """Open the store of one folder; nothing is created before the first session."""
    from kiro_files.store import FileStore

    store = FileStore(options.root)
    try:
        yield store
    finally:
        store.close()


@hookimpl
def kiro_stores() -> Iterator[Provider[SessionStore, FilesOptions]]:
    """Offer the store `files`."""
    yield Provider("files", open_store, FilesOptions, "one JSON, one log and one lock file per session")
