"""One live session: a task that owns lease, log, process and wire."""

from kiro_core.session.life import Life
from kiro_core.session.plan import Plan, Tools
from kiro_core.session.session import Session

__all__ = ["Life", "Plan", "Session", "Tools"]
