"""What an agent may do: each question of it passes the session's policy, and what it does unasked is noticed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import anyio
from anyio import CapacityLimiter, to_thread

from kiro_core.engines import unapplied
from kiro_core.errors import EngineUnguarded
from kiro_core.frames import Frame
from kiro_core.messages import ALLOW, MARK, REJECT, option_of
from kiro_core.policy import Decision, ToolUse
from kiro_core.session.answering import chosen
from kiro_core.session.asking import CLIENT, Reply
from kiro_core.session.hooking import BEFORE
from kiro_core.session.plan import Plan
from kiro_core.session.questions import TURN_CANCELLED
from kiro_core.types import Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_DECIDE_S = 10.0
_THREADS = 2


class Guard:
    """Judges for one session, and for what its agent program calls its subagents."""

    def __init__(self, session: Session) -> None:
        """Judge nothing yet."""
        self._session = session

    @cached_property
    def _threads(self) -> CapacityLimiter:
        return CapacityLimiter(_THREADS)

    def require_guarded(self, mode: str = "", plan: Plan | None = None) -> None:
        """Let no agent program have a session whose rules it would pass by.

        Raises:
            EngineUnguarded: it asks nobody (in that mode), the configuration denies something, and no setting
                allows that.

        """
        plan = plan or self._session.plan
        if not self.passes_by(mode, plan) or self._session.tools.allow_unguarded or not self._forbids(plan):
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
        """What of the configuration does not hold with this agent program: all that a person should know of it."""
        return [*self._unapplied(), *self._unasked()]

    def _unapplied(self) -> list[Notice]:
        """The fields that cannot be applied."""
        plan = self._session.plan
        lines = unapplied(plan.config, plan.engine, natively=plan.by_mode)
        if not lines:
            return []
        sentence = f"Of '{plan.config.name}' this cannot be applied: {' '.join(lines)}"
        return [Notice("fields_unapplied", sentence, severity="info", details={"fields": list(lines)})]

    def _unasked(self) -> list[Notice]:
        """Which rules hold only when somebody looks, since the agent program does such things without asking."""
        plan = self._session.plan
        rules = plan.policy.unheard(plan.engine) if plan.guards and plan.engine.asks and not plan.engine.guard else ()
        if not rules:
            return []
        engine = plan.engine.title or plan.engine.name
        sentence = f"{engine} does some of what these rules are about without asking, which you are told then: "
        return [Notice("rules_unheard", f"{sentence}{'; '.join(rules)}.", severity="info", details={"rules": [*rules]})]

    def _forbids(self, plan: Plan) -> bool:
        """Whether something is denied, or a trigger decides, here or above."""
        above = self._session.desk.ancestors(self._session)
        return plan.guards or any(session.plan.guards for session in above)

    def passes_by(self, mode: str, plan: Plan | None = None) -> bool:
        """Whether the agent program asks nobody (in that mode)."""
        engine = (plan or self._session.plan).engine
        return not engine.asks or engine.stops_asking(mode)

    async def permission(self, frame: Frame) -> Frame:
        """Answer `session/request_permission` of the agent, by a rule, a trigger or a person."""
        use = self._use(frame)
        decision = await self.judged(use)
        if (reply := _by_rule(frame, decision)) is None:
            return await self._asked(frame, use, decision)
        await self.record(use, decision, "denied" if decision.effect == "deny" else "allowed")
        return reply

    async def refused(self, frame: Frame, decision: Decision) -> Frame:
        """Answer such a question with a decision that denies, whoever it is by."""
        await self.record(self._use(frame), decision, "denied")
        return _by_rule(frame, decision) or Frame.answer({"outcome": {"outcome": "cancelled"}})

    def _use(self, frame: Frame) -> ToolUse:
        """What a question is about: as the agent asked it, for that is what it does then."""
        asked = self._session.layers.asked(frame).params.get("toolCall")
        return self._session.calls.asked(asked if isinstance(asked, dict) else frame.params["toolCall"])

    async def judged(self, use: ToolUse) -> Decision:
        """What the rules say, and the triggers of what they do not deny."""
        decision = await self.decided(use)
        if decision.effect != "deny":
            blocked = await self._session.hooking.before(use)
            if blocked is None:
                return decision
            decision = Decision("deny", BEFORE, "trigger", f"A trigger preToolUse says: {blocked}")
        about = use.title or use.name or "a tool"
        self._session.front.explain(f"The tool call '{about}' was denied. {decision.reason}")
        return decision

    async def record(self, use: ToolUse, decision: Decision, outcome: str, by: str = "", **more: Any) -> None:
        """Put a decision on record; one that denies is told."""
        about = {**use.recorded(), **decision.recorded(), "outcome": outcome, "identified": use.identified, **more}
        about["by"] = by or "policy"
        self._session.calls.decided(use, outcome)
        journal, turn = self._session.journal, self._session.running_turn
        if outcome == "allowed" and not by:
            await journal.event("decision", about, turn)
            return
        await journal.settled("decision", about, turn)
        if outcome == "denied" and not by:
            sentence = f"Not allowed: {use.title or use.name or 'a tool'}. {decision.reason}"
            details = {"toolCallId": use.call_id, "title": use.title or use.name}
            await self._session.tell(Notice("tool_denied", sentence, details=details))

    async def decided(self, use: ToolUse) -> Decision:
        """What the rules say."""
        # It follows symbolic links, and a disk may hang: then this session alone has no thread left.
        policy = self._session.plan.policy
        with anyio.move_on_after(_DECIDE_S):
            return await to_thread.run_sync(policy.decide, use, abandon_on_cancel=True, limiter=self._threads)
        reason = f"Nobody could tell within {_DECIDE_S:g} s whether it is denied."
        return Decision("deny" if policy.guards else "ask", "", "desk", reason)

    async def _asked(self, frame: Frame, use: ToolUse, decision: Decision) -> Frame:
        try:
            reply = await self.ask(frame, _explained(self._session.for_client(frame), use))
        except anyio.get_cancelled_exc_class():
            about = {**use.recorded(), **decision.recorded(), "outcome": "cancelled", "by": "taken back"}
            self._session.journal.later("decision", about, self._session.running_turn)
            raise
        kind = str((chosen(frame, reply.response) or {}).get("kind", ""))
        remembered = await self.remembered(use, kind, _meta_of(reply))
        await self.record(use, decision, outcome_of(kind, reply.by), by=reply.by, **remembered)
        once = option_of(frame, ALLOW)
        if kind == "allow_always" and self._session.plan.guards and once is not None:
            # An agent that remembers by itself would ask no more, also about what is denied.
            return _selected(once, reply.response.result)
        return reply.response

    async def ask(self, frame: Frame, shown: Frame | None = None) -> Reply:
        """Ask a permission question of whoever can be asked: `shown` where that is more than is recorded."""
        session = self._session
        asker, shown = session.asker(), shown or session.for_client(frame)
        if asker is not session:
            name = session.metadata.info.name or session.plan.config.name
            shown = _for_ancestor(shown, name, asker.plan.info.id)
        return await session.questions.ask(frame, shown, clients=asker.clients)

    async def remembered(self, use: ToolUse, kind: str, meta: Mapping[str, Any]) -> dict[str, Any]:
        """Keep an answer for always, in the metadata and from now on; what is recorded of it.

        One that may be recorded in other words only would be another rule, and holds while the session is open.
        """
        if not kind.endswith("_always"):
            return {}
        session = self._session
        policy = session.plan.policy
        answer = policy.remember(use, kind, meta)
        if not answer:
            return {}
        policy.learn(answer)
        if session.journal.filtered(answer) == answer:
            await session.note(answers=(*session.metadata.info.answers, answer))
        return {"remembered": answer}


def _explained(frame: Frame, use: ToolUse) -> Frame:
    """A question with what it is about: not every agent program says that in the question itself."""
    about = {key: value for key, value in (("tool", use.tool or use.name), ("about", use.about)) if value}
    if not about or not frame.strict:
        return frame
    meta = frame.params.get("_meta")
    told = {**(meta if isinstance(meta, dict) else {}), MARK: about}
    return Frame.of("session/request_permission", {**frame.params, "_meta": told}, id=0)


def _meta_of(reply: Reply) -> Mapping[str, Any]:
    """What a client says beside its answer, such as which narrower trust was chosen (Kiro's `trustOption`)."""
    places = (reply.response.result.get("outcome"), reply.response.result)
    told = [place.get("_meta") for place in places if isinstance(place, dict)]
    return next((meta for meta in told if isinstance(meta, dict)), {})


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
    if decision.effect == "allow" and (option is None or option.get("kind") != "allow_once"):
        return None  # what holds for always is a person's to say
    meta = {"_meta": {MARK: decision.recorded()}}
    return _selected(option, meta) if option else Frame.answer({"outcome": {"outcome": "cancelled"}, **meta})


def _selected(option: Mapping[str, Any], result: Mapping[str, Any]) -> Frame:
    return Frame.answer({**result, "outcome": {"outcome": "selected", "optionId": option.get("optionId")}})


def _for_ancestor(frame: Frame, child: str, ancestor: str) -> Frame:
    """A child's question as the ancestor's clients are asked it: under the id that they know."""
    call = frame.params["toolCall"]
    title = f"{child}: {call.get('title') or call.get('kind') or 'a tool'}"
    params = {**frame.params, "sessionId": ancestor, "toolCall": {**call, "title": title}}
    return Frame.of("session/request_permission", params, id=0)
