"""The letters of one session: delivered, told to its agent, read, expired; and the turns that they begin."""

from kiro_core.session.inbox.fronting import NOTHING, Telling
from kiro_core.session.inbox.inbox import Inbox

__all__ = ["NOTHING", "Inbox", "Telling"]
