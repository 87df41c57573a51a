"""Reads a shell command as far as it can be seen through, so that no rule judges what it has not understood."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePosixPath

from kiro_core.policy.words import Word, split

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=", re.ASCII)
_KEYWORDS = frozenset({"!", "{", "}", "[[", "if", "then", "elif", "else", "fi", "case", "in", "esac", "for", "select"})
_KEYWORDS |= {"while", "until", "do", "done", "function", "coproc"}
_SHELLS = frozenset({"ash", "bash", "dash", "ksh", "sh", "zsh"})
_STARTERS = frozenset({"builtin", "command", "env", "exec", "find", "nice", "nohup", "parallel", "time", "timeout"})
_STARTERS |= {"doas", "setsid", "stdbuf", "sudo", "watch", "xargs"}
_HIDING = _SHELLS | _STARTERS | {".", "alias", "eval", "source", "trap"}
_DEEPEST = 3
_LONGEST = 8_000
_MOST_PARTS = 200
_STARTED_WORDS = 40
"""What a person would read at most: beyond, a command is not understood, since whoever writes it may mean no good."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What can be seen of a command.

    `simple`: it is one program with plain arguments on one line, and nothing is expanded, redirected or assigned.
    `whole`: each program that it starts is one of `parts`; where this is False there may be others.
    `parts` are, for each of these programs, the ways to write it with its arguments, redirections taken off.
    `argv` are the words of a simple command.
    """

    simple: bool = False
    whole: bool = False
    parts: tuple[frozenset[str], ...] = ()
    argv: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    parts: list[frozenset[str]] = field(default_factory=list)
    whole: bool = True

    def add(self, words: list[Word], *, hides: bool) -> bool:
        """One more program; False when there are so many that the rest is left unseen."""
        self.whole &= not hides and len(self.parts) < _MOST_PARTS
        if len(self.parts) >= _MOST_PARTS:
            return False
        self.parts.append(_spellings(words))
        return True


def read(command: str) -> Seen:
    """What can be seen of `command`, for whatever POSIX-like shell; of a very long one only its first parts."""
    found, lines = _Found(), split(command[:_LONGEST])
    for words in lines.commands:
        _take(words, found, 0)
    found.whole &= lines.plain and len(command) <= _LONGEST
    alone = lines.commands[0] if len(lines.commands) == 1 else []
    simple = bool(alone) and lines.plain and not lines.compound and "\n" not in command and _is_plain(alone[0])
    simple &= len(command) <= _LONGEST
    return Seen(simple, found.whole, tuple(found.parts), tuple(word.text for word in alone) if simple else ())


def _is_plain(first: Word) -> bool:
    return not (first.globs or _ASSIGNMENT.match(first.text) or first.text in _KEYWORDS)


def _take(words: list[Word], found: _Found, depth: int) -> None:
    """Add the programs that these words start: one, or after the name of a function all of its body."""
    ends = [at for at, word in enumerate(words) if word.raw == "{"]
    for begin, end in pairwise([0, *ends, len(words)]):
        _take_one(words[begin:end], found, depth)


def _take_one(words: list[Word], found: _Found, depth: int) -> None:
    """Add the program that these words start, and what they tell it to start."""
    while words and (words[0].text in _KEYWORDS or _ASSIGNMENT.match(words[0].text)):
        words = words[1:]
    if not words:
        return
    name = _name(words[0])
    if not found.add(words, hides=words[0].globs or name in _HIDING or depth > _DEEPEST) or depth > _DEEPEST:
        return
    for script in _scripts(name, words[1:]):
        for inner in split(script).commands:
            _take(inner, found, depth + 1)
    if name in _STARTERS:
        # Whichever word begins the program that is started: an option's argument may look like one.
        for start in range(1, min(len(words), _STARTED_WORDS)):
            if _begins(words[start]):
                _take_one(words[start:], found, depth + 1)


def _begins(word: Word) -> bool:
    """Whether the word may be the program that another one starts."""
    name = _name(word)
    return name not in _STARTERS and not name.startswith("-") and not _ASSIGNMENT.match(name)


def _scripts(name: str, arguments: list[Word]) -> Iterator[str]:
    """What a shell is told to run: the text after an option with a `c`, as in `bash -lc TEXT`; all words of `eval`."""
    if name == "eval":
        yield " ".join(word.text for word in arguments)
    if name in _SHELLS:
        for option, after in pairwise(arguments):
            if re.fullmatch(r"[-+][A-Za-z]*c[A-Za-z]*", option.text):
                yield after.text


def _name(word: Word) -> str:
    return PurePosixPath(word.text).name or word.text


def _spellings(words: list[Word]) -> frozenset[str]:
    """As they stood and without quotes, one blank between them; the program with its folder and without."""
    plain, raw = [word.text for word in words], [word.raw for word in words]
    name = _name(words[0])
    return frozenset(" ".join(each) for each in (plain, raw, [name, *plain[1:]], [name, *raw[1:]]))
