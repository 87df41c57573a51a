"""Where a chat takes place: what is shown there, and what a person types there."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from kiro_core.cli.asking import Person
from kiro_core.cli.chat.told import Told


class Screen(Protocol):
    """A chat's place; `live` tells that a person may type while the agent speaks."""

    live: bool

    @property
    def person(self) -> Person | None:
        """Whoever can be asked; None where nobody can."""
        ...

    def lines(self) -> AsyncGenerator[str, None]:
        """What is typed, each with its breaks and none of them empty, until the end of the input."""
        ...

    async def show(self, told: Told) -> None:
        """Show something."""
        ...

    async def end(self) -> None:
        """End the line in which the agent speaks."""
        ...

    def waiting(self, what: str) -> AbstractAsyncContextManager[None]:
        """Show what is being waited for, while the block runs."""
        ...
