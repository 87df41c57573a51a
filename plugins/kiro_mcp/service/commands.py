"""Slash commands: only those that the agent offers, in the way in which it offers them."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import anyio

from kiro_core.messages import about
from kiro_core.types import SessionId
from kiro_mcp.service.access import Access
from kiro_mcp.service.client import follow
from kiro_mcp.service.failing import ToolFailure, in_our_words
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.live import Live
from kiro_mcp.service.tasks import Tasks
from kiro_mcp.service.views import Outcome, TaskView

_OFFER_S = 2.0
"""Agents tell their commands a moment after they have opened a session; some never do."""
_ORDERS = ("agent", "engine")
"""What the desk itself does for a session when a prompt says so, alone or with one name."""
_ORDER_WORDS = 2


class Commands:
    """Runs commands of agents: ACP's are prompts, and Kiro's have a request of their own."""

    def __init__(self, ground: Ground, access: Access, tasks: Tasks) -> None:
        """Run those that are turns as `tasks`."""
        self._desk = ground.desk
        self._wait_s = ground.options.chat_wait_s
        self._access = access
        self._tasks = tasks

    async def start(self, host: Host, command: str, session_id: str = "") -> TaskView | Outcome:
        """Run `/name arguments` (the slash may be left out): a turn, or what the agent answers at once.

        Raises:
            ToolFailure: INVALID_COMMAND unless it is offered; COMMAND_TIMEOUT, not answered within `chat_wait_s`;
                COMMAND_FAILED, and as `Tasks.start`.

        """
        text = command.strip().removeprefix("/")
        if not text:
            raise ToolFailure("INVALID_COMMAND", "The command is blank.", hint="Write one such as /help.")
        live = await self._tasks.session(host, session_id)
        with live.used():
            if _is_order(text):
                return await self._tasks.begin(live, f"/{text}")
            name = await self._offered(live, text)
            if name not in live.executed:
                return await self._tasks.begin(live, f"/{text}")
            return await self._executed(live, name, text[len(name) :].strip())

    async def _offered(self, live: Live, text: str) -> str:
        """The name of the command that a text begins with."""
        if _named(live, text) is None:
            await self._learn(live)
        if (name := _named(live, text)) is not None:
            return name
        names = {*live.prompted, *live.executed}
        hint = f"It offers: {', '.join(f'/{name}' for name in sorted(names))}." if names else "It offers none."
        details = {"command": text, "available": sorted(names)}
        raise ToolFailure(
            "INVALID_COMMAND", f"The agent offers no command /{text.split(maxsplit=1)[0]}.", hint=hint, details=details
        )

    async def _learn(self, live: Live) -> None:
        """Wait until an agent tells its commands; somebody else may have had the session open when it did."""
        with anyio.move_on_after(_OFFER_S):
            await live.offered.wait()
            return
        with in_our_words():
            async with aclosing(self._desk.told(SessionId(live.id))) as items:
                async for item in items:
                    if item.kind == "update":
                        method = str(item.details.get("method") or "session/update")
                        follow(live, method, item.details.get("params") or {"update": item.details})

    async def _executed(self, live: Live, name: str, arguments: str) -> Outcome:
        if arguments:
            hint = f"Run /{name} alone."
            raise ToolFailure(
                "INVALID_COMMAND", f"/{name} takes no arguments here.", hint=hint, details={"command": name}
            )
        told = await self._answered(live, name)
        success, message = told.get("success") is True, str(told.get("message") or "")
        wrong = "" if success else message or "The agent gave no reason."
        return Outcome(success, message if success else "", wrong, 0 if success else 1, live.id)

    async def _answered(self, live: Live, name: str) -> dict[str, Any]:
        request = about("_kiro.dev/commands/execute", live.id, command={"command": name, "args": {}})
        with anyio.move_on_after(self._wait_s):
            return await self._access.call(live, request, f"/{name} failed")
        raise ToolFailure(
            "COMMAND_TIMEOUT",
            f"The agent has not answered /{name} within {self._wait_s:g} s, and may still be at it.",
            hint="Try again later, or raise chat_wait_s in the settings.",
            details={"session_id": live.id, "command": name, "timeout": self._wait_s},
        )


def _is_order(text: str) -> bool:
    words = text.split()
    return words[0] in _ORDERS and len(words) <= _ORDER_WORDS


def _named(live: Live, text: str) -> str | None:
    """The command of the longest name that a text begins with, as whole words."""
    fitting = (name for name in (*live.prompted, *live.executed) if text == name or text.startswith(f"{name} "))
    return max(fitting, key=len, default=None)
