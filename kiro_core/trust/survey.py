"""Finds all that one could agree to in a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anyio import to_thread

from kiro_core.errors import AgentConfigInvalid
from kiro_core.ports import AgentSource
from kiro_core.trust.documents import Document
from kiro_core.trust.guarding import document_of


async def survey(sources: Sequence[AgentSource], cwd: Path) -> Sequence[Document]:
    """The agent configurations of a folder that need trust, by source; what is broken starts nothing."""
    found: dict[str, Document] = {}
    for source in sources:
        for summary in await source.names(cwd):
            try:
                config = await source.find(summary.name, cwd)
            except AgentConfigInvalid:
                continue
            document = await to_thread.run_sync(document_of, config) if config is not None else None
            if document is not None:
                found.setdefault(document.origin, document)
    return list(found.values())
