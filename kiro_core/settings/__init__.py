"""What a user may set, and where from: arguments over environment over one file, merged per key.

Names load on first use: where settings come from is known without the models that check them, which
take longer to import than an editor should wait.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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
    "CrewSettings": "models",
    "EngineSettings": "models",
    "Limits": "models",
    "PluginSettings": "models",
    "RetentionSettings": "models",
    "Settings": "models",
    "TriggerSettings": "models",
    "kiro_home": "sources",
    "load_settings": "load",
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


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        message = f"module 'kiro_core.settings' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(f"kiro_core.settings.{_HOME[name]}"), name)
