"""What a client has to be told of the choice of its agent configuration and its engine."""

from __future__ import annotations

from kiro_core.agentconfig import Resolved
from kiro_core.types import Notice


def told_of(resolved: Resolved, said: str) -> list[Notice]:
    """The notices of a choice; `said` is what there is to say of the engine."""
    notices = [Notice("engine_chosen", said, severity="info")] if said else []
    if not resolved.found:
        details = {"requestedAgent": resolved.asked, "fallbackAgent": resolved.config.name}
        sentence = f"No agent configuration is called '{resolved.asked}'; '{resolved.config.name}' stands in."
        notices.append(Notice("agent_not_found", sentence, details=details))
    for problem in resolved.problems:
        details = {"path": str(problem.path), "error": problem.reason}
        notices.append(Notice("agent_config_error", str(problem), details=details))
    if resolved.config.withheld:
        fields = ", ".join(resolved.config.withheld)
        sentence = f"Of '{resolved.config.name}' these fields are not used, since the folder is not trusted: {fields}."
        notices.append(Notice("agent_untrusted", sentence, details={"withheld": list(resolved.config.withheld)}))
    return notices
