"""What can be chosen in a session: the agent's own modes and options, and ours beside them."""

from kiro_core.session.options.configuring import METHODS, Configuring
from kiro_core.session.options.native import NativeOptions
from kiro_core.session.options.restoring import restore

__all__ = ["METHODS", "Configuring", "NativeOptions", "restore"]
