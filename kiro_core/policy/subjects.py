"""What tools act on, as matchers: paths, shell commands, and the texts that a use names besides."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kiro_core.policy.expressions import Whole
from kiro_core.policy.matchers import Touch
from kiro_core.policy.paths import Patterns, Place, inside
from kiro_core.policy.shell import read
from kiro_core.policy.use import ToolUse


@dataclass(frozen=True, slots=True)
class Paths:
    """Files and folders; a search that names none is one of the session's folder."""

    patterns: Patterns

    @classmethod
    def of(cls, globs: Sequence[str], place: Place, *, below: bool = True) -> Paths:
        """By globs; with `below`, a folder is all that is in it."""
        return cls(Patterns.of(globs, place, below=below))

    def covers(self, use: ToolUse) -> bool:
        """Whether each path certainly leads there."""
        paths = worked_on(use, self.patterns.place)
        return bool(paths) and all(map(self.patterns.covers, paths))

    def touches(self, use: ToolUse) -> Touch:
        """Whether one of all that were told may."""
        paths = use.mentioned or worked_on(use, self.patterns.place)
        return any(map(self.patterns.touches, paths)) if paths else None


def worked_on(use: ToolUse, place: Place) -> Sequence[str]:
    """The paths of a use, with the folder of the session where a search names none."""
    return use.paths or ((place.cwd,) if use.tool in {"grep", "glob"} else ())


@dataclass(frozen=True, slots=True)
class Inside:
    """Paths in the folders of the session."""

    place: Place

    def covers(self, use: ToolUse) -> bool:
        """Whether each path certainly leads into one."""
        paths = worked_on(use, self.place)
        return bool(paths) and all(inside(path, self.place) for path in paths)

    def touches(self, use: ToolUse) -> Touch:
        """The same: nothing is denied by it."""
        return self.covers(use)


@dataclass(frozen=True, slots=True)
class Commands:
    """Shell commands, each as a whole, by regular expressions that match all of it."""

    expressions: Sequence[Whole]

    def covers(self, use: ToolUse) -> bool:
        """Whether it is one simple command that matches as it is written, and is given no environment."""
        command = (use.command or "").strip()
        return bool(command) and not use.env and read(command).simple and self._any([command])

    def touches(self, use: ToolUse) -> Touch:
        """Whether the whole or any program in it matches, in any spelling; of several texts one is enough."""
        whole = use.command is not None
        for text in use.commands:
            seen = read(text)
            if self._any([text.strip()]) or any(map(self._any, seen.parts)):
                return True
            whole &= seen.whole
        return False if whole else None

    def _any(self, spellings: Iterable[str]) -> bool:
        return any(expression.fullmatch(text) for expression in self.expressions for text in spellings)


@dataclass(frozen=True, slots=True)
class Texts:
    """What a use names besides, such as agents or services, each by any of its `forms`."""

    expressions: Sequence[Whole]
    forms: Callable[[ToolUse], Sequence[Sequence[str]]]

    def covers(self, use: ToolUse) -> bool:
        """Whether each of them matches."""
        told = self.forms(use)
        return bool(told) and all(
            any(each.fullmatch(form) for each in self.expressions for form in one) for one in told
        )

    def touches(self, use: ToolUse) -> Touch:
        """Whether one does."""
        told = self.forms(use)
        return any(each.fullmatch(form) for each in self.expressions for one in told for form in one) if told else None


_READERS = frozenset(["cat", "dir", "echo", "find", "grep", "head", "ls", "pwd", "tail", "type", "which"])
_ACTING = re.compile(r"-(?:exec|execdir|ok|okdir|delete|fprint0?|fprintf|fls)|--perl-regexp|-[A-Za-z]*P[A-Za-z]*")
"""Options by which `find` acts, and by which `grep` gets a language of its own."""


class ReadOnly:
    """Simple commands that only read (Amazon Q, built-in tools: `autoAllowReadonly`)."""

    def covers(self, use: ToolUse) -> bool:
        """Whether it certainly is one."""
        program, *arguments = read(use.command or "").argv or ("",)
        return not use.env and program in _READERS and not any(map(_ACTING.fullmatch, arguments))

    def touches(self, use: ToolUse) -> Touch:
        """The same."""
        return self.covers(use)
