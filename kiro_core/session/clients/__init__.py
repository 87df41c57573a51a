"""The clients of one session: each is shown everything once and in order, and none waits for another."""

from kiro_core.session.clients.clients import Clients
from kiro_core.session.clients.member import CONTROLLER, OBSERVER, Member
from kiro_core.session.clients.shown import Item, Said

__all__ = ["CONTROLLER", "OBSERVER", "Clients", "Item", "Member", "Said"]
