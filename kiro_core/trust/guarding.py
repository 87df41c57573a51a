"""Keeps what nobody agreed to out of a session: as a whole, since half a configuration is one that nobody wrote."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from anyio import to_thread

from kiro_core.agentconfig import BUILT_IN, Resolved, needs_trust
from kiro_core.errors import AgentUntrusted
from kiro_core.trust.describing import starts_of
from kiro_core.trust.documents import Document
from kiro_core.trust.trusted import Trust
from kiro_core.types import AgentConfig, Problem


def document_of(config: AgentConfig) -> Document | None:
    """What somebody has to agree to before a configuration is used; None for one that needs no trust.

    It follows symbolic links on the disk, so an event loop calls it in a thread.
    """
    needs = needs_trust(config)
    return _document(config, needs) if needs else None


async def guarded(resolved: Resolved, trust: Trust) -> Resolved:
    """The same choice, or the built-in configuration in place of one that nobody agreed to.

    Then `found` is False, `untrusted` has the document, a problem says so, and `config.withheld` names the fields
    for which it is not used. It reads the disk, which changes nothing, so a cancellation leaves that behind.
    """
    return await to_thread.run_sync(_guarded, resolved, trust, abandon_on_cancel=True)


def _guarded(resolved: Resolved, trust: Trust) -> Resolved:
    config = resolved.config
    withheld = needs_trust(config)
    if not withheld or trust.trusted(document := _document(config, withheld)):
        return resolved
    reason = f"is not used, since its folder is not trusted; it asks for {', '.join(withheld)}"
    problems = [*resolved.problems, Problem(Path(config.origin), "", reason)]
    problems += [problem for problem in [trust.problem()] if problem is not None]
    stand_in = replace(BUILT_IN, withheld=withheld)
    return replace(resolved, config=stand_in, found=False, problems=problems, untrusted=[document])


def _document(config: AgentConfig, needs: Sequence[str]) -> Document:
    return Document(os.path.realpath(config.workspace), config.origin, config.digest, starts_of(config, needs))


def refusal(resolved: Resolved) -> AgentUntrusted:
    """What to say when a configuration was required that `guarded` has left out."""
    document: Document = resolved.untrusted[0]
    return AgentUntrusted(
        f"The agent configuration {resolved.asked!r} is not used, since the folder {document.folder} is not trusted.",
        hint=f"See what it asks for, and trust it: `kiro-core trust {document.folder}`.",
        agent=resolved.asked,
        folder=document.folder,
        origin=document.origin,
        withheld=list(resolved.config.withheld),
    )
