"""The desk: it reserves, opens, routes and ends sessions."""

from kiro_core.dispatcher.desk import Dispatcher
from kiro_core.dispatcher.opening import Wishes, open_desk, opened_desk
from kiro_core.dispatcher.own_desk import OwnDesk
from kiro_core.dispatcher.reloading import Reloaded

__all__ = ["Dispatcher", "OwnDesk", "Reloaded", "Wishes", "open_desk", "opened_desk"]
