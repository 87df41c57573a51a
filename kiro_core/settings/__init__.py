"""What a user may set, and where from: arguments over environment over one file, merged per key."""

from kiro_core.settings.load import load_settings
from kiro_core.settings.models import EngineSettings, Limits, PluginSettings, Settings
from kiro_core.settings.sources import kiro_home

__all__ = ["EngineSettings", "Limits", "PluginSettings", "Settings", "kiro_home", "load_settings"]
