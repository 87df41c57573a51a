"""Tells what to know of a plugin that loads: it is for another version of the core, or uses what goes away."""

from __future__ import annotations

import re

from kiro_core.catalog import PluginInfo
from kiro_core.registry.found import CORE
from kiro_core.version import __version__

_ABOUT_CORE = re.compile(r"kiro[-_.]+core(?![\w.-])", re.IGNORECASE)


def unsupported(plugin: PluginInfo) -> str:
    """A sentence that says for which versions of the core a plugin is; empty where this is one of them."""
    lines = [line for line in plugin.requires if _ABOUT_CORE.match(line)]
    if not lines:
        return ""
    from packaging.requirements import InvalidRequirement, Requirement

    here = __version__
    for line in lines:
        try:
            wanted = Requirement(line)
        except InvalidRequirement:
            continue  # pip refuses it when it installs the plugin; there is nothing to compare
        of_an_extra = wanted.marker is not None and not wanted.marker.evaluate({"extra": ""})
        if not of_an_extra and not wanted.specifier.contains(here, prereleases=True):
            return f"It is for {CORE} {wanted.specifier}, and this is {CORE} {here}."
    return ""


def notices_of(plugin: PluginInfo) -> list[str]:
    """What to tell of a plugin although it works, a sentence each."""
    return [*filter(None, [unsupported(plugin)]), *plugin.deprecations]
