"""One live session: a task that owns lease, log, process and wire."""

from kiro_core.session.choices import Choices
from kiro_core.session.clients import CONTROLLER, OBSERVER, Member
from kiro_core.session.life import Life
from kiro_core.session.options import METHODS as CONFIGURING
from kiro_core.session.plan import Plan, Tools
from kiro_core.session.prompts import prompt_title
from kiro_core.session.session import Session
from kiro_core.session.trash import require_conversation, require_kept

__all__ = [
    "CONFIGURING",
    "CONTROLLER",
    "OBSERVER",
    "Choices",
    "Life",
    "Member",
    "Plan",
    "Session",
    "Tools",
    "prompt_title",
    "require_conversation",
    "require_kept",
]
