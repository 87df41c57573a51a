"""What all parts of the service stand on."""

from __future__ import annotations

from dataclasses import dataclass

from anyio.abc import TaskGroup

from kiro_core.ports import Agent, Desk
from kiro_mcp.options import McpOptions
from kiro_mcp.service.notices import Notices
from kiro_mcp.service.table import Table
from kiro_mcp.service.waking import Bells


@dataclass(frozen=True, slots=True)
class Ground:
    """The desk and what it gives all hosts together, the sessions that are open, and the tasks of this server."""

    desk: Desk
    agent: Agent
    options: McpOptions
    table: Table
    bells: Bells
    notices: Notices
    tasks: TaskGroup
