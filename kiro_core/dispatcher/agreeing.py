"""A person agrees to what they were shown, and not to what a file has become while they read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from kiro_core.agentconfig.reading import Unreadable, read_text
from kiro_core.errors import AgentUntrusted
from kiro_core.trust import Document, Trust


def agreed(trust: Trust, documents: Sequence[Document]) -> None:
    """Keep that a person agreed to these documents; blocking.

    Raises:
        AgentUntrusted: a file is no more what it was when it was shown; nothing is kept.
        RecordInvalid, Unavailable: it cannot be kept.

    """
    for document in documents:
        if not _is_as_shown(document):
            raise AgentUntrusted(
                f"{document.origin} has changed since it was shown.",
                hint=f"See what it says now, and trust it: `kiro-core trust {document.folder}`.",
                folder=document.folder,
                origin=document.origin,
            )
    for folder in sorted({document.folder for document in documents}):
        trust.grant(folder, [document for document in documents if document.folder == folder])


def _is_as_shown(document: Document) -> bool:
    path = Path(document.origin)
    if not path.is_absolute():  # a source that keeps no files names another kind of place
        return True
    try:
        return hashlib.sha256(read_text(path)[1]).hexdigest() == document.digest
    except Unreadable:
        return False
