"""One line that is being typed, as an application of prompt_toolkit that others can write above or take away."""

from __future__ import annotations

import termios
from collections.abc import Callable
from contextlib import suppress

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.history import DummyHistory, History
from prompt_toolkit.input.typeahead import clear_typeahead
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.shortcuts import CompleteStyle

_MORE = ". "


class Taken(str):
    """What is returned instead of a line that was taken away: how far it was typed."""

    __slots__ = ()


class Line:
    """A place to type; Enter ends the line, behind a backslash it goes on below."""

    def __init__(
        self,
        output: Vt100_Output,
        prompt: Callable[[], ANSI],
        bindings: KeyBindings,
        history: History | None = None,
        completer: Completer | None = None,
    ) -> None:
        """`prompt` is asked whenever the line is drawn; without a history nothing is remembered."""
        self._session: PromptSession[str] = PromptSession(
            prompt,
            history=history or DummyHistory(),
            completer=completer,
            complete_style=CompleteStyle.READLINE_LIKE,
            reserve_space_for_menu=0,
            multiline=True,
            prompt_continuation=_MORE,
            key_bindings=bindings,
            enable_suspend=True,
            output=output,
        )
        self._app = self._session.app
        self._app.terminal_size_polling_interval = None  # SIGWINCH tells

    @property
    def done(self) -> bool:
        """Whether the line is typed, and is drawn for the last time."""
        return self._app.is_done

    async def read(self, draft: str = "") -> str | None:
        """The line, typed behind a `draft`; a `Taken` when it was taken away, None at the end of the input."""
        try:
            return await self._session.prompt_async(default=draft, handle_sigint=False, set_exception_handler=False)
        except (EOFError, OSError, termios.error):  # the last two: the terminal is gone
            return None
        finally:
            self._app.erase_when_done = False

    def take_away(self) -> None:
        """End a line that is being typed, without a trace."""
        if self._app.is_running and not self._app.is_done:
            self._app.erase_when_done = True
            self._app.exit(result=Taken(self._session.default_buffer.text))

    def forget(self) -> None:
        """Let nothing that was typed before be a part of the next line."""
        clear_typeahead(self._app.input)
        with suppress(termios.error):  # the terminal is gone
            termios.tcflush(self._app.input.fileno(), termios.TCIFLUSH)

    def hide(self) -> None:
        """Make room for something to be written where the line stands; `draw` brings it back."""
        if self._app.is_running:
            self._app.renderer.erase()

    def draw(self) -> None:
        """Draw it anew, soon."""
        if self._app.is_running:
            self._app.invalidate()


def enter_and(interrupt: Callable[[], None], *, busy: Callable[[], bool]) -> KeyBindings:
    """The keys of a line; Ctrl-C is for `interrupt`, or clears what is typed where nothing is `busy`."""
    bindings = KeyBindings()

    @bindings.add("enter")
    def _end(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.document.text_before_cursor.endswith("\\"):
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @bindings.add("c-c")
    def _interrupt(event: KeyPressEvent) -> None:
        if event.current_buffer.text and not busy():
            event.current_buffer.reset()
        else:
            interrupt()

    return bindings
