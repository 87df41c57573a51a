"""What agents ask before they act, until somebody answers; nobody is asked where the options say so."""

from __future__ import annotations

from collections.abc import Mapping
from secrets import token_hex
from typing import Any

import anyio

from kiro_core.frames import Frame
from kiro_core.rpc import METHOD_NOT_FOUND
from kiro_mcp.options import McpOptions
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.showing import one_line, utc_now
from kiro_mcp.service.table import Table
from kiro_mcp.service.views import Option, Question
from kiro_mcp.service.waking import Bells

_CANCELLED: Mapping[str, Any] = {"outcome": {"outcome": "cancelled"}}
_TRUST = "kiro_core-trust"
"""The tool call of the desk's own question whether a folder is trusted: what runs in it may not say so itself."""
_WAITING = "kiro_core-waiting-"
"""How that of its question begins whether prompts of a killed desk are to be sent."""
_REFUSING = ("reject_once", "reject_always")


class _Asked:
    """One open question, and its answer (ACP `session/request_permission`)."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.answered = anyio.Event()
        self.over = anyio.Event()
        self.outcome: Mapping[str, Any] = _CANCELLED

    def choose(self, option: str) -> None:
        if not self.answered.is_set():
            self.outcome = {"outcome": {"outcome": "selected", "optionId": option}}
            self.answered.set()

    def refuse(self) -> None:
        kinds = {option.kind: option.id for option in reversed(self.question.options)}
        refusing = next((kinds[kind] for kind in _REFUSING if kind in kinds), None)
        if refusing is not None:
            self.choose(refusing)
        self.answered.set()


class Questions:
    """The open questions of all sessions that are open here."""

    def __init__(self, table: Table, bells: Bells, options: McpOptions) -> None:
        """Ask the hosts that see a session; ring when there is a question."""
        self._table = table
        self._bells = bells
        self._nobody = options.permissions == "deny"
        self._open: dict[str, _Asked] = {}

    def of(self, session_id: str) -> Question | None:
        """The oldest open question of a session."""
        questions = (asked.question for asked in self._open.values() if not asked.answered.is_set())
        return next((question for question in questions if question.session_id == session_id), None)

    def answer(self, host: Host, question_id: str, option_id: str, *, by_person: bool = False) -> Question:
        """Answer a question with one of its options; the question.

        Raises:
            ToolFailure: INVALID_COMMAND, it is not open (any more), the host does not see it, it has no such option, or
                it is for a person alone and the answer is not `by_person`.

        """
        asked = self._asked(host, question_id)
        if asked.question.person_only and not by_person:
            details = {"question_id": question_id}
            raise ToolFailure(
                "INVALID_COMMAND", "Only a person can answer it.", hint=asked.question.notice, details=details
            )
        offered = [option.id for option in asked.question.options]
        if option_id not in offered:
            raise ToolFailure(
                "INVALID_COMMAND",
                f"The question has no option {option_id!r}.",
                hint=f"Answer with one of: {', '.join(offered)}.",
                details={"question_id": question_id, "option_id": option_id, "options": offered},
            )
        asked.choose(option_id)
        return asked.question

    def refuse(self, question_id: str) -> None:
        """Say no, in the narrowest way that the agent offers; nothing for one that is not open any more."""
        if (asked := self._open.get(question_id)) is not None:
            asked.refuse()

    async def settled(self, question_id: str) -> None:
        """Wait until a question is not open any more, whoever has answered or withdrawn it."""
        if (asked := self._open.get(question_id)) is not None:
            await asked.over.wait()

    async def ask(self, frame: Frame) -> Frame:
        """The answer to a question of the desk; who withdraws it cancels this.

        An error says that nobody can be asked here: if that is so everywhere, the desk says no.
        """
        live = self._table.lives.get(frame.session or "")
        if frame.method != "session/request_permission" or self._nobody or live is None:
            return Frame.failure(METHOD_NOT_FOUND, f"Nobody can be asked here for {frame.method}.")
        asked = _Asked(_question(frame, live.cwd))
        with live.used():
            self._open[asked.question.id] = asked
            self._bells.ring(live.id)
            try:
                await asked.answered.wait()
            finally:
                del self._open[asked.question.id]
                asked.over.set()
        return Frame.answer(asked.outcome)

    def _asked(self, host: Host, question_id: str) -> _Asked:
        asked = self._open.get(question_id)
        if asked is not None and not asked.answered.is_set() and self._table.sees(host, asked.question.session_id):
            return asked
        raise ToolFailure(
            "INVALID_COMMAND",
            f"No question {question_id} is open.",
            hint="It may have been answered, or withdrawn; kiro_task_status tells which one is open.",
            details={"question_id": question_id},
        )


def _question(frame: Frame, cwd: str) -> Question:
    call, offered = frame.params.get("toolCall"), frame.params.get("options")
    call = call if isinstance(call, dict) else {}
    offered = [option for option in offered if isinstance(option, dict)] if isinstance(offered, list) else []
    title = one_line(str(call.get("title") or "The agent asks before it goes on."))
    options = [_option(option) for option in offered]
    tool = one_line(str(call.get("kind") or "other"))
    about = str(call.get("toolCallId"))
    trust, ours = about == _TRUST, about == _TRUST or about.startswith(_WAITING)
    notice = f"The folder {cwd} is not trusted: kiro-core trust {cwd}" if trust else ""
    return Question(token_hex(12), frame.session or "", title, tool, options, utc_now(), trust, notice, ours)


def _option(option: Mapping[str, Any]) -> Option:
    id_ = str(option.get("optionId") or "")
    return Option(id_, one_line(str(option.get("name") or id_)), str(option.get("kind") or ""))
