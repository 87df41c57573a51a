"""What a session's agent may do: allowed, asked or denied, by one policy for every kind of session."""

from kiro_core.policy.capabilities import PermissionRule
from kiro_core.policy.compiling import compile_policy
from kiro_core.policy.decision import Decision
from kiro_core.policy.identity import identify, told
from kiro_core.policy.policy import Policy
from kiro_core.policy.use import ToolUse

__all__ = ["Decision", "PermissionRule", "Policy", "ToolUse", "compile_policy", "identify", "told"]
