"""The front desk for coding agents: everything that a plugin or an embedding program imports.

Names load on first use, so that `import kiro_core` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kiro_core.control.locally import serve_at as serve_at
    from kiro_core.dispatcher import open_desk as open_desk
    from kiro_core.frames import Frame as Frame
    from kiro_core.provider import Provider as Provider
    from kiro_core.registry import Registry as Registry
    from kiro_core.settings import load_settings as load_settings
    from kiro_core.specs import KiroDeprecation as KiroDeprecation
    from kiro_core.specs import hookimpl as hookimpl
    from kiro_core.stdio import PipeStream as PipeStream
    from kiro_core.stdio import claim_stdio as claim_stdio

_HOME = {
    "Frame": "kiro_core.frames",
    "KiroDeprecation": "kiro_core.specs",
    "PipeStream": "kiro_core.stdio",
    "Provider": "kiro_core.provider",
    "Registry": "kiro_core.registry",
    "claim_stdio": "kiro_core.stdio",
    "hookimpl": "kiro_core.specs",
    "load_settings": "kiro_core.settings",
    "open_desk": "kiro_core.dispatcher",
    "serve_at": "kiro_core.control.locally",
}

__all__ = [
    "Frame",
    "KiroDeprecation",
    "PipeStream",
    "Provider",
    "Registry",
    "claim_stdio",
    "hookimpl",
    "load_settings",
    "open_desk",
    "serve_at",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        message = f"module 'kiro_core' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOME[name]), name)
