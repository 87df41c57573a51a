"""Cuts a shell command into words and commands by the quoting rules of POSIX, noting what only a shell could expand."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t]+)
  | (?P<joined>\\\n)
  | (?P<operator>&&|\|\||;;&?|;&|\|&|[<>]\(|\$\(\(?|&(?!>)|[;|\n()`])
  | (?P<redirect>\d*(?:<<<|<<-?|<>|>>|>\||[<>]&|&>>?|[<>]))
  | (?P<single>'[^']*')
  | (?P<double>"(?:[^"\\]|\\.)*")
  | (?P<escape>\\.)
  | (?P<expansion>\$)
  | (?P<glob>[*?\[\]{}~])
  | (?P<text>[^\x00-\x20<>;&|()`'"\\$*?\[\]{}~\x7f]+)
    """,
    re.VERBOSE | re.DOTALL,
)
"""POSIX shell, "Token Recognition"; what matches none of it (an open quote, a control character) is not understood."""


_HIDING = frozenset(["`", "$(", "$((", "<(", ">("])


@dataclass(slots=True)
class Word:
    """One word: `text` without its quotes, `raw` as it stood; `globs` where names of files may take its place."""

    text: str = ""
    raw: str = ""
    globs: bool = False


@dataclass(slots=True)
class Lines:
    """The commands of a text as words; `compound`: with operators or redirections; `plain`: nothing is expanded."""

    commands: list[list[Word]] = field(default_factory=list)
    compound: bool = False
    plain: bool = True


class _Cutter:
    def __init__(self) -> None:
        self.lines = Lines()
        self._words: list[Word] = []
        self._word: Word | None = None
        self._target = False

    def add(self, kind: str, token: str) -> None:
        if kind == "blank":
            self.end_word()
        elif kind == "operator":
            self.end_command()
            self.lines.compound = True
            self.lines.plain &= token not in _HIDING
        elif kind == "joined":
            self.lines.plain = False
        elif kind == "redirect":
            self.end_word()
            self._target = self.lines.compound = True
        else:
            self._extend(kind, token)

    def _extend(self, kind: str, token: str) -> None:
        word = self._word = self._word or Word()
        word.raw += token
        word.globs |= kind == "glob"
        if kind == "expansion" or (kind == "text" and token.startswith("#") and word.raw == token):
            self.lines.plain = False
        if kind == "single":
            token = token[1:-1]
        elif kind == "double":
            self._look_into(token[1:-1])
            token = re.sub(r'\\(["\\$`])|\\\n', r"\1", token[1:-1])
        elif kind == "escape":
            token = token[1:]
        word.text += token

    def _look_into(self, quoted: str) -> None:
        """What a shell would run from within double quotes counts as commands of the text."""
        if re.search(r"(?<!\\)(?:\\\\)*[$`]", quoted):
            self.lines.plain = False
            self.lines.commands += split(re.sub(r'\\(["`])', r"\1", quoted)).commands

    def end_word(self) -> None:
        if self._word is not None and not self._target:
            self._words.append(self._word)
        if self._word is not None:
            self._target = False
        self._word = None

    def end_command(self) -> None:
        self.end_word()
        if self._words:
            self.lines.commands.append(self._words)
        self._words, self._target = [], False


def split(command: str) -> Lines:
    """Cut `command`; of what is not understood one character is passed over, so that the rest is still seen."""
    cutter, at = _Cutter(), 0
    while at < len(command):
        token = _TOKEN.match(command, at)
        if token is None:
            cutter.lines.plain = False
            cutter.end_word()
            at += 1
            continue
        cutter.add(str(token.lastgroup), token.group())
        at = token.end()
    cutter.end_command()
    return cutter.lines
