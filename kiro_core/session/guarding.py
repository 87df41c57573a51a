"""What an agent may do: each question of it passes the session's policy, and what it does unasked is noticed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from kiro_core.errors import EngineUnguarded
from kiro_core.frames import Frame
from kiro_core.policy import Decision, ToolUse, identify, told
from kiro_core.session.answering import ALLOW, REJECT, chosen, option_of
from kiro_core.session.asking import CLIENT, Reply
from kiro_core.session.hooking import AFTER, BEFORE
from kiro_core.session.questions import TURN_CANCELLED
from kiro_core.types import Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_BEGUN = ("in_progress", "completed", "failed")
_OVER = ("completed", "failed")


class Guard:
    """Judges for one session, and for what its agent program calls its subagents."""

    def __init__(self, session: Session) -> None:
        """Know of no tool call."""
        self._session = session
        self._calls: dict[str, Mapping[str, Any]] = {}
        self._judged: set[str] = set()

    def require_guarded(self, mode: str = "") -> None:
        """Let no agent program have a session whose rules it would pass by.

        Raises:
            EngineUnguarded: it asks nobody (in that mode), the configuration denies something, and no setting
                allows that.

        """
        plan = self._session.plan
        if not self._passes_by(mode) or self._session.tools.allow_unguarded or not plan.guards:
            return
        engine = plan.engine.title or plan.engine.name
        where = f" in the mode '{mode}'" if mode and plan.engine.asks else ""
        raise EngineUnguarded(
            f"{engine} asks nobody before it uses a tool{where}, so the rules of '{plan.config.name}' would not hold.",
            hint="Choose another engine or agent, or set `allow_unguarded` to have its tools only recorded.",
            engine=plan.engine.name,
            agent=plan.config.name,
        )

    def unheard(self) -> list[Notice]:
        """Which rules hold only when somebody looks, since the agent program does such things without asking."""
        plan = self._session.plan
        rules = plan.policy.unheard(plan.engine) if plan.guards and plan.engine.asks and not plan.engine.guard else ()
        if not rules:
            return []
        engine = plan.engine.title or plan.engine.name
        sentence = f"{engine} does some of what these rules are about without asking, which you are told then: "
        return [Notice("rules_unheard", f"{sentence}{'; '.join(rules)}.", severity="info", details={"rules": [*rules]})]

    async def permission(self, frame: Frame) -> Frame:
        """Answer `session/request_permission` of the agent, by a rule, a trigger or a person."""
        call = frame.params["toolCall"]
        use = self._use(call)
        self._judged.add(use.call_id)
        decision = await self.judged(use)
        if (reply := _by_rule(frame, decision)) is None:
            return await self._asked(frame, use, decision)
        await self.record(use, decision, "denied" if decision.effect == "deny" else "allowed")
        return reply

    async def judged(self, use: ToolUse) -> Decision:
        """What the rules say, and the triggers of what they do not deny."""
        decision = await self._decided(use)
        if decision.effect == "deny":
            return decision
        blocked = await self._session.hooking.before(use)
        if blocked is None:
            return decision
        self._session.exchange.explain(f"The tool call '{use.title or use.name}' was denied: {blocked}")
        return Decision("deny", BEFORE, "trigger", blocked)

    async def record(self, use: ToolUse, decision: Decision, outcome: str, by: str = "", **more: Any) -> None:
        """Put a decision on record; one that denies is told."""
        about = {**use.recorded(), **decision.recorded(), "outcome": outcome, "identified": use.identified, **more}
        about["by"] = by or "policy"
        journal, turn = self._session.journal, self._session.running_turn
        if outcome == "allowed" and not by:
            await journal.event("decision", about, turn)
            return
        await journal.settled("decision", about, turn)
        if outcome == "denied" and not by:
            sentence = f"Not allowed: {use.title or use.name or 'a tool'}. {decision.reason}"
            await self._session.tell(Notice("tool_denied", sentence, details={"toolCallId": use.call_id}))

    async def follow(self, update: Mapping[str, Any]) -> None:
        """Take note of `tool_call` and `tool_call_update`."""
        if update.get("sessionUpdate") not in ("tool_call", "tool_call_update"):
            return
        name, status = str(update.get("toolCallId")), update.get("status")
        self._calls[name] = told(self._calls.get(name), update)
        if status in _BEGUN and name not in self._judged:
            self._judged.add(name)
            await self._unasked(self._use(update))
        if status in _OVER:
            if self._session.hooking.has(AFTER):
                self._session.hooking.after(self._use(update), update)
            self._calls.pop(name, None)

    def forget(self) -> None:
        """A turn has ended, and its tool calls with it."""
        self._calls.clear()
        self._judged.clear()

    async def _decided(self, use: ToolUse) -> Decision:
        # It follows symbolic links.
        return await to_thread.run_sync(self._session.plan.policy.decide, use, abandon_on_cancel=True)

    def _passes_by(self, mode: str) -> bool:
        engine = self._session.plan.engine
        return not engine.asks or engine.stops_asking(mode)

    def _use(self, call: Mapping[str, Any]) -> ToolUse:
        plan = self._session.plan
        servers = [server.name for server in plan.servers]
        return identify(call, plan.engine, servers, self._calls.get(str(call.get("toolCallId"))))

    async def _unasked(self, use: ToolUse) -> None:
        """Say when something ran that somebody should have been asked about."""
        session = self._session
        decision = await self._decided(use)
        passed = self._passes_by(session.options.native.mode) and session.plan.guards
        if decision.effect != "deny" and not passed:
            return
        about = {**use.recorded(), **decision.recorded(), "outcome": "unguarded", "identified": use.identified}
        session.journal.later("unguarded", about, session.running_turn)
        engine = session.plan.engine.title or session.plan.engine.name
        sentence = f"Unguarded: {engine} asked nobody before this: {use.title or use.name or 'a tool call'}"
        await session.tell(Notice("tool_unguarded", sentence, details={"toolCallId": use.call_id}))

    async def _asked(self, frame: Frame, use: ToolUse, decision: Decision) -> Frame:
        reply = await self.ask(frame)
        kind = str((chosen(frame, reply.response) or {}).get("kind", ""))
        await self.record(
            use, decision, outcome_of(kind, reply.by), by=reply.by, **await self._remembered(use, kind, reply)
        )
        return reply.response

    async def ask(self, frame: Frame, shown: Frame | None = None) -> Reply:
        """Ask a permission question of whoever can be asked: `shown` where that is more than is recorded."""
        session = self._session
        asker, shown = session.asker(), shown or session.for_client(frame)
        if asker is not session:
            name = session.metadata.info.name or session.plan.config.name
            shown = _for_ancestor(shown, name, asker.plan.info.id)
        return await session.questions.ask(frame, shown, clients=asker.clients)

    async def _remembered(self, use: ToolUse, kind: str, reply: Reply) -> dict[str, Any]:
        if not kind.endswith("_always"):
            return {}
        session = self._session
        outcome = reply.response.result.get("outcome")
        meta = [told.get("_meta") for told in (outcome, reply.response.result) if isinstance(told, dict)]
        policy = session.plan.policy
        answer = policy.remember(use, kind, next((each for each in meta if isinstance(each, dict)), {}))
        if not answer:
            return {}
        policy.learn(answer)
        await session.note(answers=(*session.metadata.info.answers, answer))
        return {"remembered": answer}


def outcome_of(kind: str, by: str) -> str:
    """What came of a question: the kind of the option that was chosen, "" for none, and who answered."""
    if kind:
        return "allowed" if kind.startswith(ALLOW) else "denied"
    return "cancelled" if by in (CLIENT, TURN_CANCELLED) else "denied"


def _by_rule(frame: Frame, decision: Decision) -> Frame | None:
    """The answer that a decision gives by itself; None where somebody has to be asked."""
    if decision.effect == "ask":
        return None
    option = option_of(frame, ALLOW if decision.effect == "allow" else REJECT)
    if option is None and decision.effect == "allow":
        return None
    selected = {"outcome": "selected", "optionId": option.get("optionId")} if option else {"outcome": "cancelled"}
    return Frame.answer({"outcome": selected, "_meta": {"kiro_core": decision.recorded()}})


def _for_ancestor(frame: Frame, child: str, ancestor: str) -> Frame:
    """A child's question as the ancestor's clients are asked it: under the id that they know."""
    call = frame.params["toolCall"]
    title = f"{child}: {call.get('title') or call.get('kind') or 'a tool'}"
    params = {**frame.params, "sessionId": ancestor, "toolCall": {**call, "title": title}}
    return Frame.of("session/request_permission", params, id=0)
