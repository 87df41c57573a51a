"""The shell hooks of a configuration, so that they act the same in every session and with every engine."""

from kiro_core.agentconfig.triggers.outcome import Outcome, TriggerRun
from kiro_core.agentconfig.triggers.triggers import Triggers

__all__ = ["Outcome", "TriggerRun", "Triggers"]
