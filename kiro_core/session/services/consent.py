"""Ask the person before the desk itself does something for an agent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from kiro_core.errors import RpcError
from kiro_core.frames import Frame
from kiro_core.policy import Decision, ToolUse
from kiro_core.rpc import CANCELLED
from kiro_core.session.answering import chosen
from kiro_core.session.asking import CLIENT
from kiro_core.session.guarding import outcome_of
from kiro_core.session.services.served import Served, failed


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be done, in the words of a tool call (ACP `ToolCallUpdate`).

    `use` is the same in the words of the policy; `kind` is "read", "edit" or "execute"; `always` says what is
    allowed by "always" ("": it is not offered), and `patterns` are globs of the paths that this means, where it is
    more than the very same; `private` is added to the input that the client sees, and not recorded.
    """

    use: ToolUse
    kind: str
    title: str
    always: str
    input: Mapping[str, Any]
    private: Mapping[str, Any] = field(default_factory=dict)
    locations: Sequence[Mapping[str, Any]] = ()
    content: Sequence[Mapping[str, Any]] = ()
    patterns: Sequence[str] = ()


class Consent:
    """Asks as an agent would, and remembers for the session what is always allowed."""

    def __init__(self, session: Served) -> None:
        """Ask the session's clients."""
        self._session = session
        self._titles: dict[str, str] = {}

    async def ask(self, deed: Deed) -> str:
        """Ask whether it may be done.

        Returns:
            The id of the tool call that the client shows, for `settle`; empty when it was not asked.

        Raises:
            RpcError: it may not.

        """
        decision = await self._permitted(deed.use)
        if decision.effect == "allow":
            await self._session.guard.record(deed.use, decision, "allowed")
            return ""
        return await self._asked(deed, decision)

    async def forwarded(self, use: ToolUse) -> None:
        """Let the client itself do what an agent asks of it: it asks its person, and the policy comes before that.

        Raises:
            RpcError: the policy denies it, or wants it asked, and the answer was no.

        """
        decision = await self._permitted(use)
        if decision.effect == "ask" and decision.rule:
            kinds = {"read": "read", "write": "edit"}
            title = use.title or use.command or use.tool
            deed = Deed(use, kinds.get(use.tool, "execute"), title, "", use.input)
            await self.settle(await self._asked(deed, decision), done=True)
        else:
            await self._session.guard.record(use, decision, "allowed", "" if decision.effect == "allow" else CLIENT)

    async def _asked(self, deed: Deed, decision: Decision) -> str:
        guard = self._session.guard
        call = f"kiro-core-{uuid4()}"
        self._titles[call] = deed.title
        asked, shown = self._question(deed, call, {}), self._question(deed, call, deed.private)
        reply = await guard.ask(asked, shown)
        option = str((chosen(asked, reply.response) or {}).get("optionId", ""))
        outcome = outcome_of(option, reply.by)
        trust = (
            {"trustOption": {"setting_key": "allowedPaths", "patterns": list(deed.patterns)}} if deed.patterns else {}
        )
        remembered = await guard.remembered(deed.use, option, trust)
        await guard.record(deed.use, decision, outcome, reply.by, **remembered)
        if outcome == "allowed":
            return call
        await self.settle(call, done=False)
        if outcome == "cancelled":
            raise RpcError(CANCELLED, f"The turn was cancelled before this was allowed: {deed.title}")
        raise failed(f"This was not allowed: {deed.title}")

    async def _permitted(self, use: ToolUse) -> Decision:
        """Refuse what the session's policy denies, whoever would do it."""
        decision = await self._session.guard.judged(use)
        if decision.effect == "deny":
            await self._session.guard.record(use, decision, "denied")
            raise failed(f"This was not allowed: {use.title}. {decision.reason}")
        return decision

    async def settle(self, call: str, *, done: bool, use: ToolUse | None = None) -> None:
        """Tell the clients what became of what they were asked, and the triggers of what was done: `use`."""
        if use is not None:
            self._session.calls.did(use, done=done)
        if call:
            status = "completed" if done else "failed"
            await self._session.show([self._update(call, title=self._titles.pop(call, "a tool"), status=status)])

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
        options = [{"optionId": kind, "name": name, "kind": kind} for kind, name in names.items() if name]
        params = {"sessionId": self._session.plan.info.id, "toolCall": told, "options": options}
        return Frame.of("session/request_permission", params, id=0)
