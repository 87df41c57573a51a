"""Ask the person before the desk itself does something for an agent."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from kiro_core.errors import RpcError
from kiro_core.frames import Frame
from kiro_core.policy import Decision, ToolUse
from kiro_core.rpc import CANCELLED
from kiro_core.session.answering import chosen
from kiro_core.session.guarding import outcome_of
from kiro_core.session.services.served import Served, failed


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be done, in the words of a tool call (ACP `ToolCallUpdate`).

    `use` is the same in the words of the policy; `kind` is "read", "edit" or "execute"; `always` says what is
    allowed by "always", and `alike` is equal for all deeds that this means; `private` is added to the input that
    the client sees, and not recorded.
    """

    use: ToolUse
    kind: str
    title: str
    always: str
    alike: Hashable
    input: Mapping[str, Any]
    private: Mapping[str, Any] = field(default_factory=dict)
    locations: Sequence[Mapping[str, Any]] = ()
    content: Sequence[Mapping[str, Any]] = ()


class Consent:
    """Asks as an agent would, and remembers for the session what is always allowed."""

    def __init__(self, session: Served) -> None:
        """Ask the session's clients."""
        self._session = session

    async def ask(self, deed: Deed) -> str:
        """Ask whether it may be done.

        Returns:
            The id of the tool call that the client shows, for `settle`; empty when it was not asked.

        Raises:
            RpcError: it may not.

        """
        guard, session = self._session.guard, self._session
        decision = await self.permitted(deed.use)
        if decision.effect == "allow" or deed.alike in session.allowed:
            by = "" if decision.effect == "allow" else f"client: {deed.always}"
            await guard.record(deed.use, decision, "allowed", by)
            return ""
        call = f"kiro-core-{uuid4()}"
        asked, shown = self._question(deed, call, {}), self._question(deed, call, deed.private)
        reply = await guard.ask(asked, shown)
        option = str((chosen(asked, reply.response) or {}).get("optionId", ""))
        outcome = outcome_of(option, reply.by)
        await guard.record(deed.use, decision, outcome, reply.by)
        if option == "allow_always":
            session.allowed.add(deed.alike)
        if outcome == "allowed":
            return call
        await self.settle(call, done=False)
        if outcome == "cancelled":
            raise RpcError(CANCELLED, f"The turn was cancelled before this was allowed: {deed.title}")
        raise failed(f"This was not allowed: {deed.title}")

    async def permitted(self, use: ToolUse) -> Decision:
        """Refuse what the session's policy denies, whoever would do it.

        Raises:
            RpcError: it is denied.

        """
        decision = await self._session.guard.judged(use)
        if decision.effect == "deny":
            await self._session.guard.record(use, decision, "denied")
            raise failed(f"This was not allowed: {use.title}. {decision.reason}")
        return decision

    async def settle(self, call: str, *, done: bool) -> None:
        """Tell the clients what became of what they were asked."""
        if call:
            status = "completed" if done else "failed"
            await self._session.show([self._update(call, status=status)])

    def _update(self, call: str, **fields: Any) -> Frame:
        update = {"sessionUpdate": "tool_call_update", "toolCallId": call, **fields}
        return Frame.of("session/update", {"sessionId": self._session.plan.info.id, "update": update})

    def _question(self, deed: Deed, call: str, private: Mapping[str, Any]) -> Frame:
        told = {
            "toolCallId": call,
            "title": deed.title,
            "kind": deed.kind,
            "status": "pending",
            "rawInput": {**deed.input, **private},
            "locations": deed.locations,
            "content": deed.content,
        }
        names = {"allow_once": "Allow once", "allow_always": deed.always, "reject_once": "No"}
        options = [{"optionId": kind, "name": name, "kind": kind} for kind, name in names.items()]
        params = {"sessionId": self._session.plan.info.id, "toolCall": told, "options": options}
        return Frame.of("session/request_permission", params, id=0)
