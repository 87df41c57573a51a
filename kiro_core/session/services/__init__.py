"""The client side towards agents: files, terminals and forms, whatever the session's client can do itself."""

from kiro_core.session.services.served import Served
from kiro_core.session.services.services import METHODS, Services, opened_services

__all__ = ["METHODS", "Served", "Services", "opened_services"]
