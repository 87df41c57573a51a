"""The questions of an agent to a person: asked of the client, within a deadline, and denied when nobody answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import anyio

from kiro_core.errors import Disconnected, KiroError
from kiro_core.frames import Frame
from kiro_core.journal import Journal
from kiro_core.ports import Client
from kiro_core.types import Notice

_CANCELLED = {"outcome": "cancelled"}
_STORE_S = 5.0


class Questions:
    """Permission requests (ACP `session/request_permission`), each recorded with its answer."""

    def __init__(self, journal: Journal, tell: Callable[[Notice], Awaitable[None]], deadline_s: float) -> None:
        """Deny after `deadline_s` seconds, and say so."""
        self._journal = journal
        self._tell = tell
        self._deadline_s = deadline_s
        self._open: dict[anyio.CancelScope, bool] = {}

    @property
    def any_open(self) -> bool:
        """Whether somebody is being asked right now."""
        return bool(self._open)

    def cancel(self) -> None:
        """Answer every open question with `cancelled`, as a client must when it cancels a turn."""
        for scope in self._open:
            self._open[scope] = True
            scope.cancel()

    async def ask(self, frame: Frame, client: Client | None, shown: Frame) -> Frame:
        """Record `frame` as it came, ask the client what is `shown`; the response is its own, or a denial."""
        await self._journal.message("question", frame)
        try:
            response, by = await self._asked(shown, client)
        except anyio.get_cancelled_exc_class():
            # The agent took it back or is gone: no question stays without its answer.
            with anyio.move_on_after(_STORE_S, shield=True), suppress(KiroError):
                await self._record(frame, Frame.answer({"outcome": _CANCELLED}), "taken back")
            raise
        await self._record(frame, response, by)
        return response

    async def _record(self, frame: Frame, response: Frame, by: str) -> None:
        call = frame.params.get("toolCall")
        call_id = call.get("toolCallId") if isinstance(call, dict) else None
        outcome = response.result.get("outcome")
        await self._journal.settled("answer", {"toolCallId": call_id, "outcome": outcome, "by": by})

    async def _asked(self, frame: Frame, client: Client | None) -> tuple[Frame, str]:
        if client is None:
            return _denial(frame), "nobody to ask"
        with anyio.move_on_after(self._deadline_s) as scope:
            self._open[scope] = False
            try:
                response = await client.request(frame)
            except Disconnected:
                return _denial(frame), "client gone"
            else:
                return (response, "client") if _is_answer(frame, response) else (_denial(frame), _why_not(response))
            finally:
                was_cancelled = self._open.pop(scope)
        if was_cancelled:
            return Frame.answer({"outcome": _CANCELLED}), "turn cancelled"
        sentence = f"A question of the agent was not answered within {self._deadline_s:g} s and was denied."
        await self._tell(Notice("question_denied", sentence))
        return _denial(frame), "deadline"


def _why_not(response: Frame) -> str:
    return "nobody to ask" if response.failed else "no valid answer"


def _options(frame: Frame) -> list[dict[str, Any]]:
    options = frame.params.get("options")
    return [option for option in options if isinstance(option, dict)] if isinstance(options, list) else []


def _is_answer(frame: Frame, response: Frame) -> bool:
    outcome = response.result.get("outcome")
    if response.failed or not isinstance(outcome, dict):
        return False
    offered = [option.get("optionId") for option in _options(frame)]
    return outcome.get("outcome") == "cancelled" or outcome.get("optionId") in offered


def _denial(frame: Frame) -> Frame:
    """Choose the agent's own way to say no, the narrowest first; else `cancelled`."""
    for kind in ("reject_once", "reject_always"):
        for option in _options(frame):
            if option.get("kind") == kind:
                return Frame.answer({"outcome": {"outcome": "selected", "optionId": option.get("optionId")}})
    return Frame.answer({"outcome": _CANCELLED})
