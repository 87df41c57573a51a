"""How a chat ends, and what Ctrl-C does before it comes to that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import anyio

from kiro_core.cli.failing import CANCELLED, DONE


class Leaving:
    """The end of one chat; `code` is its exit code, as far as it is known."""

    def __init__(self) -> None:
        """Do not leave yet."""
        self.scope: Final = anyio.CancelScope()
        self.code: int = DONE
        self._running: list[Callable[[], None]] = []
        self._asked = False

    @property
    def busy(self) -> bool:
        """Whether something runs that can be cancelled."""
        return bool(self._running)

    def leave(self, code: int) -> None:
        """End the chat now; of several reasons at once, such as a window that is closed, the gravest counts."""
        self.code = max(self.code, code)
        self.scope.cancel()

    def heard(self) -> None:
        """Forget an earlier Ctrl-C: the person goes on."""
        self._asked = False

    @contextmanager
    def running(self, cancel: Callable[[], None]) -> Iterator[None]:
        """Something runs in this block that `cancel` asks to end."""
        self._running.append(cancel)
        try:
            yield
        finally:
            self._running.remove(cancel)
            self._asked = False

    def cancel(self) -> None:
        """Cancel what runs."""
        for cancel in dict.fromkeys(self._running):
            cancel()

    def interrupt(self) -> str:
        """Cancel what runs; the second time, or when nothing runs, leave.

        Returns:
            What to tell the person, or `""`.

        """
        again, self._asked = self._asked, True
        if again:
            self.leave(CANCELLED if self._running else DONE)
            return ""
        self.cancel()
        return "Cancelling; another Ctrl-C leaves." if self._running else "Another Ctrl-C leaves, and so does Ctrl-D."
