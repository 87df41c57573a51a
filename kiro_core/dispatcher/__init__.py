"""The desk: it reserves, opens, routes and ends sessions."""

from kiro_core.dispatcher.desk import Dispatcher, open_desk

__all__ = ["Dispatcher", "open_desk"]
