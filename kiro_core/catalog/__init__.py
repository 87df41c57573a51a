"""What the settings choose, and who provides it: names become open backends here, or a sentence that says why not.

Names load on first use: to choose is cheaper than to open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiro_core.late import Loading, late

if TYPE_CHECKING:
    from kiro_core.catalog.bounds import Within as Within
    from kiro_core.catalog.catalog import USUAL as USUAL
    from kiro_core.catalog.catalog import Catalog as Catalog
    from kiro_core.catalog.entries import Choice as Choice
    from kiro_core.catalog.entries import Entry as Entry
    from kiro_core.catalog.entries import PluginInfo as PluginInfo

_HOME = {
    "Catalog": "kiro_core.catalog.catalog",
    "Choice": "kiro_core.catalog.entries",
    "Entry": "kiro_core.catalog.entries",
    "PluginInfo": "kiro_core.catalog.entries",
    "USUAL": "kiro_core.catalog.catalog",
    "Within": "kiro_core.catalog.bounds",
}

__all__ = ["USUAL", "Catalog", "Choice", "Entry", "PluginInfo", "Within"]

__getattr__: Loading = late(__name__, _HOME)
