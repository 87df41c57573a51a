"""Declares the middleware `example`; the entry point in pyproject.toml leads here."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

from kiro_core import Provider, hookimpl
from pydantic import BaseModel, ConfigDict, Field

from .middleware import WordsMiddleware


class Options(BaseModel):
    """What the settings may say; anything else in them is an error that names the key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: Sequence[str] = Field((), description="A prompt that has one of them, in any case of letters, is refused.")


@asynccontextmanager
async def _open(options: Options) -> AsyncIterator[WordsMiddleware]:
    yield WordsMiddleware(options.words)


@hookimpl
def kiro_middlewares() -> Iterator[Provider[WordsMiddleware, Options]]:
    """Declare it; this is called once, when plugins are loaded."""
    yield Provider("example", _open, Options, "refuses words, counts messages")
