"""Wait for the MCP servers of a session, where the agent tells their state."""

from __future__ import annotations

from collections.abc import Iterable

import anyio

from kiro_core.frames import Frame
from kiro_core.lazily import LazyEvent
from kiro_core.types import Notice

_INITIALIZED = "mcp/server_initialized"
_FAILED = "mcp/server_init_failure"
_PREFIXES = ("_kiro.dev/", "kiro.dev/")


class McpStart:
    """Which of the asked-for MCP servers have not reported yet; `notices` tells of failed and late ones."""

    def __init__(self, names: Iterable[str]) -> None:
        """Expect a report of each."""
        self._missing = set(names)
        self._reported = LazyEvent()
        self._started = False
        self.notices: list[Notice] = []

    def follow(self, frame: Frame) -> Notice | None:
        """Take note of a report (Kiro's notifications, with either prefix).

        Returns:
            What has to be told of a failure after the start; until then it is among the `notices`.

        """
        method = frame.method or ""
        if not method.endswith((_INITIALIZED, _FAILED)) or not method.startswith(_PREFIXES):
            return None
        name = str(frame.params.get("serverName"))
        self._missing.discard(name)
        if not self._missing:
            self._reported.set()
        if method.endswith(_INITIALIZED):
            return None
        details = {"serverName": name, "error": frame.params.get("error")}
        notice = Notice("mcp_failed", f"The MCP server '{name}' did not start: {details['error']}.", details=details)
        if self._started:
            return notice
        self.notices.append(notice)
        return None

    async def settled(self, timeout_s: float) -> None:
        """Return when each server is initialised, failed or `timeout_s` seconds late."""
        if self._missing:
            with anyio.move_on_after(timeout_s):
                await self._reported.wait()
        self._started = True
        for name in sorted(self._missing):
            sentence = (
                f"The MCP server '{name}' has not started within {timeout_s:g} s; the session goes on without it."
            )
            self.notices.append(Notice("mcp_late", sentence, details={"serverName": name}))
