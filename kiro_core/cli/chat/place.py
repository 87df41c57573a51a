"""Chooses where a chat takes place, and lets its signals and its end be its own."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence

import anyio

from kiro_core import claim_stdio
from kiro_core.cli.chat.conversation import Chat
from kiro_core.cli.chat.current import Current
from kiro_core.cli.chat.leaving import Leaving
from kiro_core.cli.chat.orders import words
from kiro_core.cli.chat.plain import Plain
from kiro_core.cli.chat.screen import Screen
from kiro_core.cli.chat.told import Told
from kiro_core.cli.failing import CANCELLED, FAILED
from kiro_core.cli.options import Given
from kiro_core.cli.signals import follow_signals
from kiro_core.cli.text import dumb
from kiro_core.cli.wanted import Wanted
from kiro_core.errors import unwrapped
from kiro_core.settings import kiro_home


async def hold(given: Given, wanted: Wanted) -> int:
    """Chat until the input ends; the exit code.

    Raises:
        KiroError: the session could not be opened.

    """
    leaving = Leaving()
    screen = _screen(leaving, lambda: words(current))
    current = Current(screen)

    async def signalled(number: signal.Signals) -> None:
        if number != signal.SIGINT or screen.person is None:
            leaving.leave(CANCELLED)
        elif sentence := leaving.interrupt():
            await screen.show(Told("note", sentence))

    with unwrapped():
        async with anyio.create_task_group() as signals:
            await signals.start(follow_signals, signalled)
            with leaving.scope:
                async with anyio.create_task_group() as tasks:
                    await Chat(screen, current, leaving, tasks).run(given, wanted)
                    tasks.cancel_scope.cancel()
            signals.cancel_scope.cancel()
    return leaving.code


def _screen(leaving: Leaving, known: Callable[[], Mapping[str, Sequence[str]]]) -> Screen:
    at_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if at_terminal and not dumb():
        from kiro_core.cli.chat.completing import CommandCompleter
        from kiro_core.cli.chat.editor import Editor
        from kiro_core.cli.chat.history import FileHistory

        history = FileHistory(kiro_home(os.environ) / "history")
        editor = Editor(history, CommandCompleter(known), leaving)
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(editor)
        return editor
    at_terminal = at_terminal and sys.stderr.isatty()
    # What a plugin prints must not end up between the answers.
    return Plain(claim_stdio(), lambda: leaving.leave(FAILED), at_terminal=at_terminal)
