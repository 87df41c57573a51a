"""Declares the agents `example`; the entry point in pyproject.toml leads here."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from kiro_core import Provider, hookimpl
from pydantic import BaseModel, ConfigDict, Field

from .source import TomlFolder


class Options(BaseModel):
    """What the settings may say; anything else in them is an error that names the key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path = Field(Path("~/agents"), description="Where the files are, NAME.toml each.")


@asynccontextmanager
async def _open(options: Options) -> AsyncIterator[TomlFolder]:
    yield TomlFolder(options.folder.expanduser())


@hookimpl
def kiro_agents() -> Iterator[Provider[TomlFolder, Options]]:
    """Declare it; this is called once, when plugins are loaded."""
    yield Provider("example", _open, Options, "agents as TOML files in a folder")
