"""Middlewares at work: each has a place between a session and its agent program, and can harm that session only."""

from kiro_core.middleware.layers import Layers
from kiro_core.middleware.middlewares import Middlewares
from kiro_core.middleware.stop import Layered

__all__ = ["Layered", "Layers", "Middlewares"]
