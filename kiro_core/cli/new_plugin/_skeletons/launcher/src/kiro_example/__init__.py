"""Declares the launcher `example`; the entry point in pyproject.toml leads here."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from kiro_core import Provider, hookimpl
from pydantic import BaseModel, ConfigDict, Field

from .launcher import GroupLauncher


class Options(BaseModel):
    """What the settings may say; anything else in them is an error that names the key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    grace_s: float = Field(2.0, gt=0, description="How long a program has to end by itself, in seconds.")


@asynccontextmanager
async def _open(options: Options) -> AsyncIterator[GroupLauncher]:
    yield GroupLauncher(options.grace_s)


@hookimpl
def kiro_launchers() -> Iterator[Provider[GroupLauncher, Options]]:
    """Declare it; this is called once, when plugins are loaded."""
    yield Provider("example", _open, Options, "agent programs as process groups")
