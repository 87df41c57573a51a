"""One prompt being answered, in its own thread."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, TypeVar, cast

from kiro_core.rehearsal import plain
from kiro_core.rehearsal.session import Session
from kiro_core.rehearsal.wire import Wire

T = TypeVar("T")

_WORD = re.compile(r"\s*\S+\s*")


class Cancelled(Exception):
    """The client cancelled the turn, or a question of it."""


class Stopped(Exception):
    """The turn ends here, with the stop reason that is its argument."""


class Unserved(Exception):
    """The client does not serve a request; the turn says so, in the sentence that is the argument, and goes on."""


class Turn:
    """What a directive needs: to speak, to wait and to ask; `cancel` ends each of them.

    `blocks` is the prompt as it came, `text` what is said in it; `after` are updates to send behind the answer.
    """

    def __init__(self, wire: Wire, session: Session, blocks: Any) -> None:
        """Answer `blocks` in `session`."""
        self.wire = wire
        self.session = session
        self.profile: Final = session.profile
        self.blocks = blocks
        self.text: Final = text_of(blocks)
        self.after: list[dict[str, Any]] = []
        self._message = f"message-{next(session.numbers)}"
        self._spoken = 0
        self._cancelled = threading.Event()
        self._slot: SimpleQueue[Any] = SimpleQueue()

    def cancel(self) -> None:
        """End it soon; called from another thread."""
        self._cancelled.set()
        self._slot.put(None)

    def check(self) -> None:
        """Raise `Cancelled` if it was cancelled."""
        if self._cancelled.is_set():
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Wait; cancel ends it."""
        self._cancelled.wait(seconds)
        self.check()

    def chunk(self, text: str, kind: str = "agent_message_chunk") -> dict[str, Any]:
        """An update that carries text."""
        self._spoken += len(text.split())
        return {"sessionUpdate": kind, "messageId": self._message, "content": {"type": "text", "text": text}}

    def say(self, text: str) -> None:
        """Speak in one chunk."""
        self.update(self.chunk(text))

    def stream(self, text: str) -> None:
        """Speak word by word."""
        for word in _WORD.findall(text):
            self.say(word)

    def update(self, *updates: dict[str, Any]) -> None:
        """Send updates in one write, unless the turn was cancelled."""
        self.check()
        self.session.remember(*updates)
        self.wire.update(self.session.id, *updates)

    def ask(self, method: str, params: Any) -> dict[str, Any]:
        """Ask the client; its whole response, which may be an error."""
        self.check()
        self.wire.ask(method, self.addressed(params), self._slot)
        response: dict[str, Any] | None = self._slot.get()
        if response is None:
            raise Cancelled
        return response

    def beside(self, job: Callable[[], T]) -> T:
        """What a job returns or raises that runs in a thread of its own; a cancelled turn does not wait for it."""
        self.check()

        def run() -> None:
            try:
                result: tuple[T | None, BaseException | None] = (job(), None)
            except BaseException as error:  # noqa: BLE001 - it is raised again, in the turn's own thread
                result = (None, error)
            self._slot.put(result)

        threading.Thread(target=run, daemon=True).start()
        done = self._slot.get()
        if done is None:
            raise Cancelled
        result, error = done
        if error is not None:
            raise error
        return cast("T", result)

    def need(self, *capability: str) -> None:
        """Raise `Unserved` unless the client offers this."""
        if not self.wire.offers(*capability):
            raise Unserved(f"The client offers no {'.'.join(capability)}.")

    def leave(self, method: str, params: Any) -> None:
        """Ask the client, and wait for no answer; it also works in a turn that was cancelled."""
        self.wire.ask(method, self.addressed(params), SimpleQueue())

    def addressed(self, params: Any) -> Any:
        """Params with this session's id, unless they name one; the name None stands for no session."""
        if not isinstance(params, dict):
            return params
        named = {"sessionId": self.session.id, **params}
        return {name: value for name, value in named.items() if name != "sessionId" or value is not None}

    def call(self, title: str, kind: str) -> dict[str, Any]:
        """A new tool call."""
        return {"toolCallId": f"tool-{next(self.session.numbers)}", "title": title, "kind": kind}

    def result(self, stop: str) -> dict[str, Any]:
        """The answer to the prompt; a token of ours is a word."""
        said = {"stopReason": stop, **self.profile.result}
        if not self.profile.has("usage"):
            return said
        read = len(self.text.split())
        usage = {"inputTokens": read, "outputTokens": self._spoken, "totalTokens": read + self._spoken}
        return {**said, "usage": {**usage, **self.profile.usage}}

    def afterwards(self) -> list[dict[str, Any]]:
        """The updates that follow the answer."""
        return self.after + (plain.late(self.session) if self.profile.has("late-updates") else [])


def text_of(blocks: Any) -> str:
    """The text of ACP content blocks; a resource counts as its text, a link as its address, others not at all."""
    parts = []
    for block in blocks if isinstance(blocks, list) else []:
        source = block.get("resource", block)
        parts.append(source.get("text") or source.get("uri") or "")
    return "\n".join(part for part in parts if part)
