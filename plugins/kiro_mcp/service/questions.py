"""What agents ask before they act, until somebody answers; nobody is asked where the options say so."""

from __future__ import annotations

from dataclasses import replace

from kiro_core.frames import Frame
from kiro_core.rpc import METHOD_NOT_FOUND
from kiro_mcp.options import McpOptions
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.notices import Notices
from kiro_mcp.service.questioning import Asked, question_of
from kiro_mcp.service.table import Table
from kiro_mcp.service.views import Notice, Question
from kiro_mcp.service.waking import Bells

_UNTRUSTED = "agent_untrusted"
"""The desk's notice that a folder is not trusted, told before anybody is asked."""


class Questions:
    """The open questions of all sessions that are open here."""

    def __init__(self, table: Table, bells: Bells, notices: Notices, options: McpOptions) -> None:
        """Ask the hosts that see a session; ring when there is a question."""
        self._table = table
        self._bells = bells
        self._notices = notices
        self._nobody = options.permissions == "deny"
        self._open: dict[str, Asked] = {}

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
        self._told(asked.question, refused=asked.is_refused_by(option_id))
        return asked.question

    def refuse(self, host: Host, question_id: str) -> None:
        """Say no, in the narrowest way that the agent offers.

        Nothing for one that is not open any more, or that the host does not see.
        """
        if (asked := self._seen(host, question_id)) is not None:
            asked.refuse()
            self._told(asked.question, refused=True)

    def leave(self, session_id: str) -> None:
        """Say no to all that is asked in a session which nobody sees any more."""
        for asked in self._open.values():
            if asked.question.session_id == session_id:
                asked.refuse()

    async def settled(self, question_id: str) -> None:
        """Wait until a question is not open any more, whoever has answered or withdrawn it."""
        if (asked := self._open.get(question_id)) is not None:
            await asked.over.wait()

    async def ask(self, frame: Frame, session_id: str) -> Frame:
        """The answer to a question of the desk, put in that session; who withdraws it cancels this.

        An error says that nobody can be asked here: if that is so everywhere, the desk says no.
        """
        live = self._table.lives.get(session_id)
        if frame.method != "session/request_permission" or self._nobody or live is None or live.left:
            return Frame.failure(METHOD_NOT_FOUND, f"Nobody can be asked here for {frame.method}.")
        asked = Asked(replace(question_of(frame, live.cwd), session_id=live.id))
        with live.used():
            self._open[asked.question.id] = asked
            self._bells.ring(live.id)
            try:
                await asked.answered.wait()
            finally:
                del self._open[asked.question.id]
                asked.over.set()
        return asked.answer

    def _told(self, question: Question, *, refused: bool) -> None:
        """Keep what a host has to know of an answer that only a person can give, in place of what was told before."""
        if question.person_only:
            self._notices.drop(question.session_id, _UNTRUSTED)
            if refused:
                self._notices.add(question.session_id, Notice("folder_untrusted", question.notice))

    def _seen(self, host: Host, question_id: str) -> Asked | None:
        asked = self._open.get(question_id)
        if asked is None or asked.answered.is_set() or not self._table.sees(host, asked.question.session_id):
            return None
        return asked

    def _asked(self, host: Host, question_id: str) -> Asked:
        if (asked := self._seen(host, question_id)) is not None:
            return asked
        raise ToolFailure(
            "INVALID_COMMAND",
            f"No question {question_id} is open.",
            hint="It may have been answered, or withdrawn; kiro_task_status tells which one is open.",
            details={"question_id": question_id},
        )
