"""The launcher `local`: an agent program as a process of this machine, ended with all that it started."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kiro_core import Provider, hookimpl
from kiro_core.ports import Launcher
from kiro_local.launcher import open_launcher
from kiro_local.options import LocalOptions

__all__ = ["LocalOptions", "kiro_launchers", "open_launcher"]


@hookimpl
def kiro_launchers() -> Iterable[Provider[Launcher, Any]]:
    """Offer this launcher."""
    yield Provider("local", open_launcher, LocalOptions, "a process of this machine")
