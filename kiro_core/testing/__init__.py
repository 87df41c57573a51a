"""The conformance kit: a plugin's author inherits a contract, names a provider and has its tests."""

from __future__ import annotations

from pkgutil import iter_modules

import pytest

# Before the first of them is imported: only then can their asserts explain themselves.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in iter_modules(__path__)))

# ruff: noqa: E402 - see above
from kiro_core.testing.agents import AgentSourceContract
from kiro_core.testing.client import RecordingClient
from kiro_core.testing.echo import EchoAgent, EchoDesk
from kiro_core.testing.face import FaceContract
from kiro_core.testing.face_client import FaceClient
from kiro_core.testing.launcher import LauncherContract
from kiro_core.testing.loopback import StandInProcess, loopback
from kiro_core.testing.memory import MemoryStore
from kiro_core.testing.middleware import MiddlewareContract
from kiro_core.testing.promising import Promise
from kiro_core.testing.rehearsal_program import rehearsal
from kiro_core.testing.store import StoreContract
from kiro_core.testing.table import promises
from kiro_core.testing.wire import WireContract

__all__ = [
    "AgentSourceContract",
    "EchoAgent",
    "EchoDesk",
    "FaceClient",
    "FaceContract",
    "LauncherContract",
    "MemoryStore",
    "MiddlewareContract",
    "Promise",
    "RecordingClient",
    "StandInProcess",
    "StoreContract",
    "WireContract",
    "loopback",
    "promises",
    "rehearsal",
]
