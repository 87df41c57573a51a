"""The client of `run`: it prints what the agent says and answers what the agent asks."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any, Final

import anyio

from kiro_core.cli.asking import Person, permission, refuses_trust
from kiro_core.cli.run.output import Form
from kiro_core.cli.run.report import Report, at_work
from kiro_core.cli.text import encoded, printable, tell, tell_failure
from kiro_core.cli.wording import question_line
from kiro_core.errors import McpFailed
from kiro_core.frames import Frame
from kiro_core.messages import MARK
from kiro_core.notices import ALONE, MEMBERS
from kiro_core.rpc import Stream
from kiro_core.types import PeerInfo
from kiro_core.version import __version__

_NOT_STARTED = ("mcp_failed", "mcp_late", "mcp_unsupported", "mcp_left_out")
"""The notices that tell of an MCP server which the agent has not got."""


class RunClient:
    """Implements `Client`; `unread` tells that nobody reads the output any more, which cancels the scope.

    So does one of the MCP servers that are `required` and do not start: `missing` has the error then. `leaving` tells
    that the session is being ended, and those below it too.
    """

    def __init__(  # noqa: PLR0913 - one argument for each thing that it talks to
        self,
        stdout: Stream,
        form: Form,
        person: Person | None,
        scope: anyio.CancelScope,
        *,
        terminal: bool,
        required: Container[str] = (),
    ) -> None:
        """Print to `stdout`, which is a `terminal` or not; without a `person` every question is denied."""
        self.info: Final = PeerInfo("kiro-core run", __version__, frozenset({"notices", ALONE}))
        self.report: Final = Report()
        self.unread: bool = False
        self.leaving = False
        self.untrusting = False
        self.missing: McpFailed | None = None
        self._stdout = stdout
        self._form = form
        self._person = person
        self._scope = scope
        self._terminal = terminal
        self._required = required

    async def begin(self, about: dict[str, Any]) -> None:
        """Tell that the session is open."""
        self.report.about = about
        await self._print(self._form.session(about))

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See `Client.notify`; the text of a batch goes out in one write where no other line comes between."""
        text = ""
        for frame in frames:
            if frame.method == MEMBERS and not self.leaving:
                self.report.members = at_work(frame.params)
            update = frame.params.get("update")
            if frame.method != "session/update" or not isinstance(update, dict):
                continue
            self._require(update)
            added, line = self.report.follow(update)
            text += self._form.update(frame, added)
            if line:
                await self._print(text)
                text = ""
                tell(line)
        await self._print(text)

    async def request(self, frame: Frame) -> Frame:
        """See `Client.request`; where nobody can be asked it is an error, and the desk denies."""
        # A script is not asked whether it trusts: that it was not is told.
        if (self.untrusting or self._person is None) and (refusal := refuses_trust(frame)) is not None:
            return refusal
        verdict = await permission(frame, self._person)
        chosen = str(verdict.option.get("optionId")) if verdict.option else ""
        question = {"toolCallId": verdict.call, "title": verdict.title}
        await self._answered({**question, "outcome": verdict.outcome, "optionId": chosen})
        return verdict.answer

    async def finish(self, response: Frame | None) -> None:
        """Tell how the turn ended, or why it could not begin; None means that it was cut off."""
        if self.report.about or response is not None:
            await self._print(self._form.result(self.report.result(response)))
        if self.report.members:
            names = ", ".join(self.report.members)
            tell(f"Ended with this session, while at work: {names}. In `chat` or `acp` they go on.")

    def _require(self, update: dict[str, Any]) -> None:
        told = (update.get("_meta") or {}).get(MARK)
        if not isinstance(told, dict) or told.get("notice") not in _NOT_STARTED:
            return
        name = str(told.get("serverName"))
        if name in self._required or "*" in self._required:
            hint = "Look at it with: kiro-core mcp status"
            self.missing = McpFailed(str(update.get("title")), hint=hint, server=name)
            self._scope.cancel()

    async def _answered(self, question: dict[str, str]) -> None:
        self.report.asked(question)
        await self._print(self._form.question(question))
        why = "" if self._person else ", since nobody is here who could be asked"
        tell(question_line(question["title"], question["outcome"] + why))

    async def _print(self, text: str) -> None:
        if self.unread or not text:
            return
        try:
            await self._stdout.send(encoded(printable(text) if self._terminal else text))
        except (anyio.BrokenResourceError, OSError) as error:
            if isinstance(error, OSError):
                tell_failure(f"The output could not be written: {error.strerror}.")
            self.unread = True
            self._scope.cancel()
