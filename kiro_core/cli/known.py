"""Looks at the start of a program that serves for what every new session gets, and not when the first one comes."""

from __future__ import annotations

import logging
from pathlib import Path

from kiro_core.dispatcher import Dispatcher
from kiro_core.errors import AgentNotFound, EngineNotFound

_LOG = logging.getLogger(__name__)


def require_known_engine(desk: Dispatcher) -> None:
    """Make sure that the engine of new sessions has a name that is known; one that is not installed is warned of.

    Raises:
        UnknownName: none is called so.

    """
    try:
        desk.planner.default_engine()
    except EngineNotFound as error:
        # It may be installed while the desk serves.
        _LOG.warning("a session that names no engine cannot be had yet: %s %s", error, error.hint)


async def require_known_agent(desk: Dispatcher, name: str, cwd: Path) -> None:
    """Make sure that sessions in a folder can have that agent configuration, as far as can be told without one.

    Raises:
        AgentNotFound, AgentUntrusted: they cannot.

    """
    try:
        await desk.agent(name, cwd)
    except AgentNotFound:
        try:
            engine = desk.planner.default_engine()
        except EngineNotFound:
            return
        if engine.agents != "mode":  # else it may be an agent of its own
            raise
