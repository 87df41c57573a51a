"""All promises of the kit in one list, for whoever documents them or wants to know which are tested."""

from __future__ import annotations

from collections.abc import Iterator

from kiro_core.testing.agents import AgentSourceContract
from kiro_core.testing.contract import Contract
from kiro_core.testing.face import FaceContract
from kiro_core.testing.launcher import LauncherContract
from kiro_core.testing.middleware import MiddlewareContract
from kiro_core.testing.promising import Promise, promises_of
from kiro_core.testing.store import StoreContract
from kiro_core.testing.wire import WireContract

CONTRACTS: tuple[type[Contract], ...] = (
    AgentSourceContract,
    StoreContract,
    LauncherContract,
    WireContract,
    FaceContract,
    MiddlewareContract,
)


def promises() -> Iterator[Promise]:
    """Each promise with its id, whether it is core, its sentence and the name of its contract."""
    for contract in CONTRACTS:
        yield from promises_of(contract)
