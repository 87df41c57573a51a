"""Asks the agent sources of the settings, without a desk: nothing is stored or started for that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import anyio

from kiro_core.agentconfig import all_agents
from kiro_core.ports import AgentSource
from kiro_core.types import AgentSummary, Problem

if TYPE_CHECKING:
    from kiro_core.cli.options import Given
    from kiro_core.registry import Registry
    from kiro_core.settings import Settings

T = TypeVar("T")


def read_agents(given: Given, cwd: Path) -> tuple[Sequence[AgentSummary], Sequence[Problem]]:
    """The agent configurations for a folder, and what could not be read.

    Raises:
        SettingsError, UnknownName, PluginError: a source cannot be opened.

    """
    return with_sources(given, lambda sources: all_agents(sources, cwd))


def with_sources(given: Given, work: Callable[[Sequence[AgentSource]], Awaitable[T]]) -> T:
    """Do some work with the sources, in their order.

    Raises:
        SettingsError, UnknownName, PluginError: a source cannot be opened.

    """

    async def opened() -> T:
        async with open_sources(*given.load()) as sources:
            return await work(sources)

    return anyio.run(opened, backend="asyncio")


@asynccontextmanager
async def open_sources(settings: Settings, registry: Registry) -> AsyncIterator[Sequence[AgentSource]]:
    """The same inside of an event loop.

    Raises on entering:
        SettingsError, UnknownName, PluginError: a source cannot be opened.

    """
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(registry.agents.open(choice, settings.limits.backends))
            for choice in settings.agent_sources
        ]
