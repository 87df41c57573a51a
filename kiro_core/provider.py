"""A named way to open one backend: all that a plugin hands over when it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
O = TypeVar("O")  # noqa: E741 - the options of the provider


@dataclass(frozen=True, slots=True)
class Provider(Generic[T, O]):
    """What a plugin hook yields.

    `name` is what users write in the settings; `open` receives the validated options and returns an
    async context manager of the backend, whose leaving closes it; `options` is a pydantic model with
    `extra="forbid"`, or None where there is nothing to set (`open` then receives None); `summary` is
    one line for `kiro-core plugins`; `backends` are the event loops on which it runs.
    """

    name: str
    open: Callable[[O], AbstractAsyncContextManager[T]]
    options: type[O] | None = None
    summary: str = ""
    backends: frozenset[str] = frozenset({"asyncio", "trio"})


AnyProvider = Provider[Any, Any]
