"""Asks a person before a new session uses what its folder brings along, where the session has not begun yet."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from anyio import to_thread

from kiro_core.agentconfig import resolve
from kiro_core.cli.asking import Person
from kiro_core.cli.sources import open_sources
from kiro_core.cli.wanted import Wanted
from kiro_core.mcp_servers import merged
from kiro_core.registry import Registry
from kiro_core.settings import Settings, kiro_home
from kiro_core.trust import Document, Trust, document_of
from kiro_core.types import AgentConfig


async def ensure_trust(settings: Settings, registry: Registry, wanted: Wanted, person: Person | None) -> bool:
    """Have what a new session would use of its folder trusted, if the person agrees; without it the built-in is used.

    Returns whether the person said no, who is not asked again then.

    Raises:
        RecordInvalid, Unavailable: the person agrees, and that cannot be remembered.
        SettingsError, UnknownName, PluginError: a source of agent configurations cannot be opened.

    """
    if person is None or not wanted.is_new:
        return False
    home, cwd = kiro_home(os.environ), wanted.folder
    async with open_sources(settings, registry) as sources:
        resolved = await resolve(sources, cwd, flag=wanted.agent, default=settings.agent, home=home)
    trust = Trust(home)
    new = await to_thread.run_sync(_untrusted, resolved.config, cwd, trust)
    if not new:
        return False
    if not await person.agrees("Trust it?", lines_of(cwd, new), usually=False):
        return True
    await to_thread.run_sync(trust.grant, str(cwd), new)
    return False


def lines_of(folder: Path, documents: Sequence[Document]) -> list[str]:
    """What a person reads before the question."""
    real = os.path.realpath(folder)
    lines = [f"{Path(real)} asks for what only a trusted folder may:"]
    for document in documents:
        name = Path(os.path.realpath(document.origin))
        lines.append(f"{name.relative_to(real) if name.is_relative_to(real) else name}")
        lines += [f"- {line}" for line in document.starts]
    return lines


def _untrusted(config: AgentConfig, cwd: Path, trust: Trust) -> list[Document]:
    return [document for document in _used(config, cwd, trust) if not trust.trusted(document)]


def _used(config: AgentConfig, cwd: Path, trust: Trust) -> Iterator[Document]:
    """The documents of the folder that a session with that configuration would use."""
    if (document := document_of(config)) is not None:
        yield document

    def trusted(document: Document) -> bool:
        # As if the person had agreed to the configuration itself, which may want no others.
        return document.origin == config.origin or trust.trusted(document)

    yield from merged([], config, cwd, trust.path.parent, trusted, None, os.environ).untrusted
