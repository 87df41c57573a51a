"""A model that does what its user writes: real agents turn with it, and no real model is asked."""

from real.model.endpoint import Endpoint

__all__ = ["Endpoint"]
