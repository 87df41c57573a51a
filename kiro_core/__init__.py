"""The front desk for coding agents: everything that a plugin or an embedding program imports.

Names load on first use, so that `import kiro_core` costs nothing. Beside them are public `kiro_core.messages` (what a
program sends), `kiro_core.ports` and `kiro_core.types` (what its types are), and `kiro_core.errors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiro_core.late import Loading, late

if TYPE_CHECKING:
    from kiro_core.control.locally import serve_at as serve_at
    from kiro_core.dispatcher import OwnDesk as OwnDesk
    from kiro_core.dispatcher import open_desk as open_desk
    from kiro_core.frames import Frame as Frame
    from kiro_core.provider import Provider as Provider
    from kiro_core.registry import Registry as Registry
    from kiro_core.rpc import result as result
    from kiro_core.settings import Settings as Settings
    from kiro_core.settings import load_settings as load_settings
    from kiro_core.specs import KiroDeprecation as KiroDeprecation
    from kiro_core.specs import hookimpl as hookimpl
    from kiro_core.stdio import PipeStream as PipeStream
    from kiro_core.stdio import claim_stdio as claim_stdio
    from kiro_core.types import PeerInfo as PeerInfo
    from kiro_core.version import __version__ as __version__

_HOME = {
    "Frame": "kiro_core.frames",
    "KiroDeprecation": "kiro_core.specs",
    "OwnDesk": "kiro_core.dispatcher",
    "PeerInfo": "kiro_core.types",
    "PipeStream": "kiro_core.stdio",
    "Provider": "kiro_core.provider",
    "Registry": "kiro_core.registry",
    "Settings": "kiro_core.settings",
    "__version__": "kiro_core.version",
    "claim_stdio": "kiro_core.stdio",
    "hookimpl": "kiro_core.specs",
    "load_settings": "kiro_core.settings",
    "open_desk": "kiro_core.dispatcher",
    "result": "kiro_core.rpc",
    "serve_at": "kiro_core.control.locally",
}

__all__ = [
    "Frame",
    "KiroDeprecation",
    "OwnDesk",
    "PeerInfo",
    "PipeStream",
    "Provider",
    "Registry",
    "Settings",
    "__version__",
    "claim_stdio",
    "hookimpl",
    "load_settings",
    "open_desk",
    "result",
    "serve_at",
]


__getattr__: Loading = late(__name__, _HOME)
