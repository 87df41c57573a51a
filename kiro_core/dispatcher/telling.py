"""What a client has to be told of the choice of its agent configuration and its engine."""

from __future__ import annotations

from kiro_core.agentconfig import Resolved
from kiro_core.dispatcher.preparing import Prepared
from kiro_core.types import Notice, Problem


def told_of(resolved: Resolved, said: str) -> list[Notice]:
    """The notices of a choice; `said` is what there is to say of the engine."""
    notices = [Notice("engine_chosen", said, severity="info")] if said else []
    if resolved.untrusted:
        return [*notices, _untrusted(resolved)]
    if not resolved.found:
        details = {"requestedAgent": resolved.asked, "fallbackAgent": resolved.config.name}
        sentence = f"No agent configuration is called '{resolved.asked}'; '{resolved.config.name}' stands in."
        notices.append(Notice("agent_not_found", sentence, details=details))
    notices += map(_problem, resolved.problems)
    return notices


def told_of_contents(prepared: Prepared) -> list[Notice]:
    """What there is to say of what a configuration refers to, and of its MCP servers."""
    return [*map(_problem, prepared.problems), *prepared.notices]


def engine_kept(engine: str, wanted: str) -> Notice:
    """A recorded session stays with the engine that it has."""
    sentence = f"The session goes on with its own engine '{engine}', not with '{wanted}', until it is swapped."
    return Notice("engine_kept", sentence, details={"engine": engine, "requested": wanted})


def _problem(problem: Problem) -> Notice:
    return Notice("agent_config_error", str(problem), details={"path": str(problem.path), "error": problem.reason})


def _untrusted(resolved: Resolved) -> Notice:
    document = resolved.untrusted[0]
    sentence = (
        f"The agent configuration '{resolved.asked}' of {document.folder} is not used, since the folder is not "
        f"trusted; the built-in '{resolved.config.name}' stands in. Trust it: kiro-core trust {document.folder}"
    )
    details = {"agent": resolved.asked, "folder": document.folder, "withheld": list(resolved.config.withheld)}
    return Notice("agent_untrusted", sentence, details=details)
