"""Agent configurations: which one applies to a session, whichever source it comes from."""

from kiro_core.agentconfig.resolve import BUILT_IN, Resolved, all_agents, resolve

__all__ = ["BUILT_IN", "Resolved", "all_agents", "resolve"]
