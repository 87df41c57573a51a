"""Ask the person before the desk itself does something for an agent."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from kiro_core.errors import RpcError
from kiro_core.frames import Frame
from kiro_core.rpc import CANCELLED
from kiro_core.session.services.served import Served, failed


@dataclass(frozen=True, slots=True)
class Deed:
    """What is to be done, in the words of a tool call (ACP `ToolCallUpdate`).

    `kind` is "read", "edit" or "execute"; `always` says what is allowed by "always", and `alike` is equal
    for all deeds that this means; `private` is added to the input that the client sees, and not recorded.
    """

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
        if deed.alike in self._session.allowed:
            return ""
        call = f"kiro-core-{uuid4()}"
        session = self._session
        asked, shown = self._question(deed, call, {}), self._question(deed, call, deed.private)
        outcome = (await session.questions.ask(asked, shown)).result.get("outcome") or {}
        option = outcome.get("optionId")
        if option == "allow_always":
            self._session.allowed.add(deed.alike)
        elif option != "allow_once":
            await self.settle(call, done=False)
            if outcome.get("outcome") == "cancelled":
                raise RpcError(CANCELLED, f"The turn was cancelled before this was allowed: {deed.title}")
            raise failed(f"This was not allowed: {deed.title}")
        return call

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
