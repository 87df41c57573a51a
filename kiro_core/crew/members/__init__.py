"""Members: sessions that other sessions spawned, and what they can do with each other."""

from kiro_core.crew.members.members import Members
from kiro_core.crew.members.results import RESULT

__all__ = ["RESULT", "Members"]
