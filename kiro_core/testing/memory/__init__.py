"""A whole store in memory: for tests that need one, and the example from which an author begins a store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import ClassVar
from weakref import WeakValueDictionary

from pydantic import BaseModel, ConfigDict, Field

from kiro_core.provider import Provider
from kiro_core.specs import hookimpl
from kiro_core.testing.memory.store import MemoryStore

__all__ = ["MemoryOptions", "MemoryStore", "kiro_stores"]

_NAMED = WeakValueDictionary[str, MemoryStore]()


class MemoryOptions(BaseModel):
    """The options of the store `memory`."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(
        "", description="Whoever opens it under one name at a time has one store; without one, a new one."
    )


@asynccontextmanager
async def _open(options: MemoryOptions) -> AsyncIterator[MemoryStore]:
    store = _NAMED.get(options.name) or MemoryStore()
    if options.name:
        _NAMED[options.name] = store
    yield store


@hookimpl
def kiro_stores() -> Iterator[Provider[MemoryStore, MemoryOptions]]:
    """Provide the store `memory`: give this module to `Registry`."""
    yield Provider("memory", _open, MemoryOptions, "sessions in memory, gone with the process")
