"""One prompt being answered, in its own thread."""

from __future__ import annotations

import re
import threading
from queue import SimpleQueue
from typing import Any

from kiro_core.rehearsal.session import Session
from kiro_core.rehearsal.wire import Wire, line

_WORD = re.compile(r"\s*\S+\s*")


class Cancelled(Exception):
    """The client cancelled the turn, or a question of it."""


class Stopped(Exception):
    """The turn ends here, with the stop reason that is its argument."""


class Turn:
    """What a directive needs: to speak, to wait and to ask; `cancel` ends each of them."""

    def __init__(self, wire: Wire, session: Session, text: str) -> None:
        """Answer `text` in `session`."""
        self.wire = wire
        self.session = session
        self.text = text
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
        name = self.session.id
        messages = [{"method": "session/update", "params": {"sessionId": name, "update": one}} for one in updates]
        self.wire.write(b"".join(map(line, messages)))

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Ask the client; its whole response, which may be an error."""
        self.check()
        self.wire.ask(method, {"sessionId": self.session.id, **params}, self._slot)
        response: dict[str, Any] | None = self._slot.get()
        if response is None:
            raise Cancelled
        return response

    def result(self, stop: str) -> dict[str, Any]:
        """The answer to the prompt; a token of ours is a word."""
        read = len(self.text.split())
        usage = {"inputTokens": read, "outputTokens": self._spoken, "totalTokens": read + self._spoken}
        return {"stopReason": stop, "usage": usage}
