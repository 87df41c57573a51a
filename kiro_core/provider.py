"""A named way to open one backend: all that a plugin hands over when it is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")
O = TypeVar("O")  # noqa: E741 - the options of the provider


@dataclass(frozen=True, slots=True)
class Provider(Generic[T, O]):
    """What a plugin hook yields.

    `name` is what users write in the settings; `open` receives the validated options and returns an
    async context manager of the backend, whose leaving closes it; `options` is a pydantic model with
    `extra="forbid"`, or None where there is nothing to set (`open` then receives None). It may also be a
    function that returns the model, for who has to start fast: it is called when somebody writes an
    option, and `open` receives None where nobody does. `summary` is one line for `kiro-core plugins`;
    `backends` are the event loops on which it runs.
    """

    name: str
    open: Callable[[O], AbstractAsyncContextManager[T]]
    options: type[O] | Callable[[], type[O]] | None = None
    summary: str = ""
    backends: frozenset[str] = frozenset({"asyncio", "trio"})

    def model(self) -> type[O] | None:
        """The model of its options, None where there is nothing to set."""
        if self.options is None or isinstance(self.options, type):
            return self.options
        return self.options()

    def validated(self, options: Mapping[str, Any]) -> O | None:
        """What `open` receives for options as people write them.

        Raises:
            pydantic.ValidationError: they are not valid.

        """
        if not options and not isinstance(self.options, type):
            return None
        model: Any = self.model()
        return cast("O", model.model_validate(dict(options))) if model is not None else None


AnyProvider = Provider[Any, Any]
