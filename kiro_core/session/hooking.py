"""The triggers of a session's agent configuration, at the points of a turn at which they act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from kiro_core.agentconfig.triggers import Outcome, Triggers
from kiro_core.frames import Frame
from kiro_core.lazily import LazyEvent
from kiro_core.session.plan import Plan

if TYPE_CHECKING:
    from kiro_core.policy import ToolUse
    from kiro_core.session.session import Session

SPAWN, PROMPT, BEFORE, AFTER, STOP = "agentSpawn", "userPromptSubmit", "preToolUse", "postToolUse", "stop"


class Hooking:
    """Runs what the configuration names; for an agent program that has triggers of its own, nothing."""

    def __init__(self, session: Session) -> None:
        """Run nothing yet."""
        self._session = session
        self._plan: Plan | None = None
        self._triggers: Triggers | None = None
        self._running = 0
        self._quiet = LazyEvent()

    def has(self, event: str) -> bool:
        """Whether something runs at an event."""
        triggers = self._of_plan()
        return triggers is not None and event in triggers

    def decides(self, use: ToolUse) -> bool:
        """Whether a trigger would have been asked before this use."""
        sessions = (self._session, *self._session.desk.ancestors(self._session))
        return any(session.hooking.concerns(BEFORE, use.tool) for session in sessions)

    def concerns(self, event: str, tool: str) -> bool:
        """Whether a trigger of this session runs for that tool."""
        triggers = self._of_plan()
        return triggers is not None and triggers.concerns(event, tool)

    async def spawn(self) -> None:
        """The agent was made ready with the configuration: it is told what the triggers say with its next prompt."""
        if self.has(SPAWN):
            self._session.front.spawned = (await self.run(SPAWN, {})).context

    async def prompted(self, prompt: Frame) -> str:
        """A prompt is about to be sent: what goes in front of it."""
        return (await self.run(PROMPT, {"prompt": _text(prompt)})).context if self.has(PROMPT) else ""

    async def before(self, use: ToolUse) -> str | None:
        """A tool is about to run: why it may not, or None; those above the session decide too."""
        for session in (self._session, *self._session.desk.ancestors(self._session)):
            if session.hooking.has(BEFORE):
                outcome = await session.hooking.run(BEFORE, _about(use), use.tool, about=self._session)
                if outcome.blocked is not None:
                    return outcome.blocked
        return None

    def after(self, use: ToolUse, update: Mapping[str, Any]) -> None:
        """A tool has run; nobody waits for the triggers but the end of the turn."""
        turns = self._session.turns
        if turns is None or turns.ended:
            return
        success = update.get("status") == "completed"
        result = update.get("rawOutput") or update.get("content") or []
        response = {"success": success, "result": result if isinstance(result, list) else [result]}
        self._running += 1
        turns.tasks.start_soon(self._aside, {**_about(use), "tool_response": response}, use.tool)

    async def quiet(self) -> None:
        """Wait until every trigger of a tool has ended."""
        while self._running:
            await self._quiet.wait()

    async def stopped(self, said: str) -> None:
        """The agent has finished its turn with these words."""
        await self.run(STOP, {"assistant_response": said})

    async def _aside(self, payload: Mapping[str, Any], tool: str) -> None:
        try:
            await self.run(AFTER, payload, tool)
        finally:
            self._running -= 1
            self._quiet.set()
            self._quiet = LazyEvent()

    async def run(
        self, event: str, payload: Mapping[str, Any], tool: str = "", *, about: Session | None = None
    ) -> Outcome:
        """Run the triggers of an event, which may be `about` a child of the session; it has the record of it."""
        triggers, session = self._of_plan(), about or self._session
        if triggers is None or event not in triggers:
            return Outcome()
        outcome = await triggers.run(event, payload, tool)
        for run in outcome.runs:
            session.journal.later("trigger", asdict(run), session.running_turn)
        # Why a tool may not run is told with that.
        for notice in outcome.notices if outcome.blocked is None else ():
            await session.tell(notice)
        session.patience.heard()
        return outcome

    def _of_plan(self) -> Triggers | None:
        """Those of the configuration that the session has now."""
        plan = self._session.plan
        if self._plan is None or plan.config is not self._plan.config or plan.by_mode != self._plan.by_mode:
            self._plan = plan
            has_any = not plan.by_mode and bool(plan.config.fields.get("hooks"))
            self._triggers = self._made(plan) if has_any else None
        return self._triggers

    def _made(self, plan: Plan) -> Triggers | None:
        from kiro_core.agentconfig import typed  # models, which most sessions never need

        if not (hooks := typed(plan.config).hooks):
            return None
        tools, config, info = self._session.tools, plan.config, plan.info
        about = {"cwd": info.cwd, "session": info.id, "origin": config.origin}
        return Triggers(hooks, tools.launcher, **about, fail_closed=tools.fail_closed)


def _about(use: ToolUse) -> dict[str, Any]:
    return {"tool_name": use.tool or use.name, "tool_input": dict(use.input)}


def _text(prompt: Frame) -> str:
    blocks = prompt.params.get("prompt")
    texts = [block.get("text") for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
    return "\n".join(text for text in texts if isinstance(text, str))
