"""The client of `run`: it prints what the agent says and answers what the agent asks."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import anyio

from kiro_core.cli.asking import Person, permission
from kiro_core.cli.run.output import Form
from kiro_core.cli.run.report import Report
from kiro_core.cli.text import encoded, printable, tell, tell_failure
from kiro_core.cli.wording import question_line
from kiro_core.frames import Frame
from kiro_core.rpc import Stream
from kiro_core.types import PeerInfo


class RunClient:
    """Implements `Client`; `unread` tells that nobody reads the output any more, which cancels the scope."""

    def __init__(
        self, stdout: Stream, form: Form, person: Person | None, scope: anyio.CancelScope, *, terminal: bool
    ) -> None:
        """Print to `stdout`, which is a `terminal` or not; without a `person` every question is denied."""
        self.info = PeerInfo("kiro-core run", version("kiro-core"), frozenset({"notices"}))
        self.report = Report()
        self.unread = False
        self._stdout = stdout
        self._form = form
        self._person = person
        self._scope = scope
        self._terminal = terminal

    async def begin(self, about: dict[str, Any]) -> None:
        """Tell that the session is open."""
        self.report.about = about
        await self._print(self._form.session(about))

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See `Client.notify`; the text of a batch goes out in one write where no other line comes between."""
        text = ""
        for frame in frames:
            update = frame.params.get("update")
            if frame.method != "session/update" or not isinstance(update, dict):
                continue
            added, line = self.report.follow(update)
            text += self._form.update(frame, added)
            if line:
                await self._print(text)
                text = ""
                tell(line)
        await self._print(text)

    async def request(self, frame: Frame) -> Frame:
        """See `Client.request`; where nobody can be asked it is an error, and the desk denies."""
        verdict = await permission(frame, self._person)
        chosen = str(verdict.option.get("optionId")) if verdict.option else ""
        question = {"toolCallId": verdict.call, "title": verdict.title}
        await self._answered({**question, "outcome": verdict.outcome, "optionId": chosen})
        return verdict.answer

    async def finish(self, response: Frame | None) -> None:
        """Tell how the turn ended; None means that it was cut off."""
        if self.report.about:
            await self._print(self._form.result(self.report.result(response)))

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
