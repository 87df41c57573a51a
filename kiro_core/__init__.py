"""The front desk for coding agents: everything that a plugin or an embedding program imports.

Names load on first use, so that `import kiro_core` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kiro_core.provider import Provider as Provider
    from kiro_core.specs import hookimpl as hookimpl
    from kiro_core.stdio import PipeStream as PipeStream
    from kiro_core.stdio import claim_stdio as claim_stdio

_HOME = {
    "PipeStream": "kiro_core.stdio",
    "Provider": "kiro_core.provider",
    "claim_stdio": "kiro_core.stdio",
    "hookimpl": "kiro_core.specs",
}

__all__ = ["PipeStream", "Provider", "claim_stdio", "hookimpl"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        message = f"module 'kiro_core' has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_HOME[name]), name)
