"""An agent configuration that is wanted by its name: it, or the sentence that says why it cannot be had."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anyio import to_thread

from kiro_core.agentconfig import Resolved, all_agents, read_contents
from kiro_core.dispatcher.preparing import Preparing
from kiro_core.errors import AgentNotFound
from kiro_core.explain import near_miss
from kiro_core.ports import AgentSource
from kiro_core.trust import refusal
from kiro_core.types import AgentConfig


async def required(preparing: Preparing, sources: Sequence[AgentSource], name: str, cwd: Path) -> Resolved:
    """The configuration of that name for a folder.

    Raises:
        AgentNotFound, AgentUntrusted: nobody knows it, or agreed to it.

    """
    resolved = await preparing.resolved(cwd, requested=name)
    if resolved.untrusted:
        raise refusal(resolved)
    if not resolved.found:
        raise await unknown(sources, resolved, cwd)
    return resolved


async def with_contents(preparing: Preparing, sources: Sequence[AgentSource], name: str, cwd: Path) -> AgentConfig:
    """The same with its prompt and its resources read."""
    resolved = await required(preparing, sources, name, cwd)
    read, _ = await to_thread.run_sync(read_contents, resolved.config, cwd, abandon_on_cancel=True)
    return read


async def unknown(sources: Sequence[AgentSource], resolved: Resolved, cwd: Path) -> AgentNotFound:
    """What to say of a name that was looked for and not found."""
    summaries, _ = await all_agents(sources, cwd)
    known = sorted(summary.name for summary in summaries)
    hint = "\n".join([f"Available: {', '.join(known)}.", *(f"{problem}." for problem in resolved.problems)])
    sentence = f"No agent configuration is called {resolved.asked!r}{near_miss(resolved.asked, known)}"
    return AgentNotFound(sentence, hint=hint, agent=resolved.asked, available=known)
