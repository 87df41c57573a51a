"""Which agent programs there are, what is known of each, and which one to start: never a silent stand-in.

Names load on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiro_core.late import Loading, late

if TYPE_CHECKING:
    from kiro_core.engines.choice import Chosen as Chosen
    from kiro_core.engines.choice import choose_engine as choose_engine
    from kiro_core.engines.choice import installed as installed
    from kiro_core.engines.default import default_engine as default_engine
    from kiro_core.engines.fields import FieldWay as FieldWay
    from kiro_core.engines.fields import field_ways as field_ways
    from kiro_core.engines.fields import unapplied as unapplied
    from kiro_core.engines.logins import logins_of as logins_of
    from kiro_core.engines.table import load_engines as load_engines

_HOME = {
    "Chosen": "kiro_core.engines.choice",
    "choose_engine": "kiro_core.engines.choice",
    "installed": "kiro_core.engines.choice",
    "default_engine": "kiro_core.engines.default",
    "FieldWay": "kiro_core.engines.fields",
    "field_ways": "kiro_core.engines.fields",
    "unapplied": "kiro_core.engines.fields",
    "logins_of": "kiro_core.engines.logins",
    "load_engines": "kiro_core.engines.table",
}

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

__getattr__: Loading = late(__name__, _HOME)
