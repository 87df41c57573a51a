"""What a user may set, and where from: arguments over environment over one file, merged per key.

Names load on first use: where settings come from is known without the models that check them, which
take longer to import than an editor should wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiro_core.late import Loading, late

if TYPE_CHECKING:
    from kiro_core.settings.load import load_settings as load_settings
    from kiro_core.settings.models import CrewSettings as CrewSettings
    from kiro_core.settings.models import EngineSettings as EngineSettings
    from kiro_core.settings.models import Limits as Limits
    from kiro_core.settings.models import PluginSettings as PluginSettings
    from kiro_core.settings.models import RetentionSettings as RetentionSettings
    from kiro_core.settings.models import Settings as Settings
    from kiro_core.settings.models import TriggerSettings as TriggerSettings
    from kiro_core.settings.sources import kiro_home as kiro_home

_HOME = {
    "CrewSettings": "kiro_core.settings.models",
    "EngineSettings": "kiro_core.settings.models",
    "Limits": "kiro_core.settings.models",
    "PluginSettings": "kiro_core.settings.models",
    "RetentionSettings": "kiro_core.settings.models",
    "Settings": "kiro_core.settings.models",
    "TriggerSettings": "kiro_core.settings.models",
    "kiro_home": "kiro_core.settings.sources",
    "load_settings": "kiro_core.settings.load",
}

__all__ = [
    "CrewSettings",
    "EngineSettings",
    "Limits",
    "PluginSettings",
    "RetentionSettings",
    "Settings",
    "TriggerSettings",
    "kiro_home",
    "load_settings",
]


__getattr__: Loading = late(__name__, _HOME)
