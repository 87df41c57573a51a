"""A client without a wire, so that tests can watch what a desk shows and asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import anyio

from kiro_core import messages
from kiro_core.frames import Frame
from kiro_core.types import PeerInfo

Answer = Callable[[Frame], Awaitable[Frame]]


async def allow(frame: Frame) -> Frame:
    """Choose the first option of a permission question."""
    return messages.chosen(frame.params["options"][0])


class RecordingClient:
    """Implements `Client`: it keeps what it is shown in `frames` and what it is asked in `questions`.

    `answer` answers questions; the default allows. Waiting is by content, never by time.
    """

    def __init__(self, info: PeerInfo | None = None, answer: Answer = allow) -> None:
        """Be nobody in particular, or whom `info` describes."""
        self.info: Final = info or PeerInfo("recording client")
        self.frames: list[Frame] = []
        self.batches: list[int] = []
        self.questions: list[Frame] = []
        self._answer = answer
        self._changed = anyio.Event()

    async def notify(self, frames: Sequence[Frame]) -> None:
        """Keep a batch."""
        self.frames.extend(frames)
        self.batches.append(len(frames))
        self._wake()

    async def request(self, frame: Frame) -> Frame:
        """Keep a question and answer it."""
        self.questions.append(frame)
        self._wake()
        return await self._answer(frame)

    async def until(self, happened: Callable[[RecordingClient], bool]) -> None:
        """Wait until what was kept satisfies a condition."""
        while not happened(self):
            await self._changed.wait()

    def updates(self, session: str = "") -> list[Mapping[str, Any]]:
        """The updates that were shown, of one session or of all."""
        return [f.params["update"] for f in self.frames if "update" in f.params and session in ("", f.session)]

    def text(self, session: str = "") -> str:
        """The agent's words, put together."""
        return "".join(messages.said(frame) for frame in self.frames if session in ("", frame.session))

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
