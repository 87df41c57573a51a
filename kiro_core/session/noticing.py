"""Notices what an agent does: which tool a call is, what it did unasked, and what has to run when it is over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kiro_core.policy import ToolUse, identify, told
from kiro_core.session.hooking import AFTER
from kiro_core.types import Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_BEGUN = ("in_progress", "completed", "failed")
_OVER = ("completed", "failed")


class Calls:
    """The open tool calls of one session's agent."""

    def __init__(self, session: Session) -> None:
        """Know of none."""
        self._session = session
        self._known: dict[str, Mapping[str, Any]] = {}
        self._outcomes: dict[str, str] = {}
        self._uses: dict[str, ToolUse] = {}
        self._over: set[str] = set()

    def asked(self, call: Mapping[str, Any]) -> ToolUse:
        """The use about which an agent asks."""
        use = self._use(call)
        self._uses[use.call_id], self._outcomes[use.call_id] = use, "asked"
        self._over.discard(use.call_id)
        return use

    def decided(self, use: ToolUse, outcome: str) -> None:
        """Take note of what came of it."""
        if use.call_id:  # what the desk does itself is no call of the agent's
            self._outcomes[use.call_id] = outcome

    async def follow(self, update: Mapping[str, Any]) -> None:
        """Take note of `tool_call` and `tool_call_update`."""
        if update.get("sessionUpdate") not in ("tool_call", "tool_call_update"):
            return
        name, status = str(update.get("toolCallId")), update.get("status")
        if update["sessionUpdate"] == "tool_call" and name in self._over:
            # Another call under the id of one that is over: what was allowed then is nothing to it.
            self._over.discard(name)
            self._outcomes.pop(name, None)
            self._uses.pop(name, None)
        self._known[name] = told(self._known.get(name), update)
        outcome = self._outcomes.get(name, "")
        if status in _BEGUN and outcome not in ("allowed", "seen") and (status != "failed" or not outcome):
            self._outcomes[name] = "seen"
            await self._unasked(self._use(update))
        if status in _OVER:
            if self._session.hooking.has(AFTER) and outcome != "denied":
                self._session.hooking.after(self._uses.get(name) or self._use(update), update)
            self._known.pop(name, None)
            self._over.add(name)

    def did(self, use: ToolUse, *, done: bool) -> None:
        """Take note that the desk itself has done something for the agent, perhaps as a part of an open tool call.

        A call that nobody could identify is what it does.
        """
        for name in self._known:
            if not (self._uses.get(name) or self._use({"toolCallId": name})).identified:
                self._uses[name] = use
        if not self._known and self._session.hooking.has(AFTER):
            self._session.hooking.after(use, {"status": "completed" if done else "failed"})

    def forget(self) -> None:
        """Another turn or another agent program begins, and tool calls with it, perhaps under the same ids."""
        self._known.clear()
        self._outcomes.clear()
        self._uses.clear()
        self._over.clear()

    def _use(self, call: Mapping[str, Any]) -> ToolUse:
        plan = self._session.plan
        servers = [server.name for server in plan.servers]
        return identify(call, plan.engine, servers, self._known.get(str(call.get("toolCallId"))))

    async def _unasked(self, use: ToolUse) -> None:
        """Say when something ran that somebody should have been asked about."""
        session = self._session
        decision = await session.guard.decided(use)
        passed = session.guard.passes_by(session.options.native.mode) and session.plan.guards
        if decision.effect != "deny" and not passed and not session.hooking.decides(use):
            return
        about = {**use.recorded(), **decision.recorded(), "outcome": "unguarded", "identified": use.identified}
        session.journal.later("unguarded", about, session.running_turn)
        engine = session.plan.engine.title or session.plan.engine.name
        sentence = f"Unguarded: {engine} asked nobody before this: {use.title or use.name or 'a tool call'}"
        await session.tell(Notice("tool_unguarded", sentence, details={"toolCallId": use.call_id}))
