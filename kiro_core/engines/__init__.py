"""Which agent programs there are, what is known of each, and which one to start: never a silent stand-in."""

from kiro_core.engines.choice import Chosen, choose_engine, installed
from kiro_core.engines.default import default_engine
from kiro_core.engines.fields import FieldWay, field_ways, unapplied
from kiro_core.engines.logins import logins_of
from kiro_core.engines.table import load_engines

__all__ = [
    "Chosen",
    "FieldWay",
    "choose_engine",
    "default_engine",
    "field_ways",
    "installed",
    "load_engines",
    "logins_of",
    "unapplied",
]
