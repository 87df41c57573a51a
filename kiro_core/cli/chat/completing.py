"""Completes what a person may want to type: a command, or a name behind one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

Words = Mapping[str, Sequence[str]]
"""The commands (`/agent`), each with the words that may follow."""


class CommandCompleter(Completer):
    """Completes the first line only, and only a command."""

    def __init__(self, words: Callable[[], Words]) -> None:
        """`words` tells what there is now."""
        self._words = words

    def get_completions(self, document: Document, _: CompleteEvent) -> Iterable[Completion]:
        """See `Completer`."""
        typed = document.text_before_cursor
        if not typed.startswith("/") or "\n" in typed:
            return
        command, space, name = typed.partition(" ")
        known = self._words()
        begun = name if space else command
        for word in known.get(command, ()) if space else known:
            if word.startswith(begun):
                yield Completion(f"{word} " if not space and known[word] else word, start_position=-len(begun))
