"""Turns a skeleton, which is a plugin that works where it stands, into a plugin of another name."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from kiro_core.cli.new_plugin.kinds import ABOUT
from kiro_core.cli.new_plugin.naming import Names

_SKELETONS = files("kiro_core.cli.new_plugin") / "_skeletons"
_COMMON = ("pyproject.toml", "tox.ini", "gitignore", "README.md")
_CHANGES = "changes.md"
_RENAMED = {"gitignore": ".gitignore"}
"""Under its own name it would count here."""


def rendered(kind: str, names: Names) -> Mapping[str, str]:
    """The texts of a new plugin's files, by their paths."""
    about, skeleton = ABOUT[kind], _SKELETONS / kind
    called = {
        "kiro-example": names.distribution,
        "kiro_example": names.package,
        "TestExample": f"Test{''.join(map(str.title, names.provider.split('-')))}",
        "example": names.provider,
    }
    told = {
        "What it is.": about.summary,
        "SETTINGS": about.settings,
        "CHANGES": (skeleton / _CHANGES).read_text("utf-8").strip(),
        "TRY": about.trial,
    }
    words = called | {word: _replaced(text, called) for word, text in told.items()}
    found = [(name, _SKELETONS / name) for name in _COMMON]
    found += [(path, file) for path, file in _files(skeleton) if path != _CHANGES]
    texts = {_RENAMED.get(path, path): file.read_text("utf-8") for path, file in found}
    return {_replaced(path, words): _replaced(text, words) for path, text in texts.items()}


def begin_with(kind: str, names: Names, folder: Path) -> str:
    """What its author does next."""
    about = ABOUT[kind]
    return "\n".join(
        [
            f"{folder} is the plugin {names.distribution} now. {about.summary}",
            "",
            "Test it as it is, with tox, or in the environment of kiro-core:",
            f"  cd {shlex.quote(str(folder))}",
            "  pip install -e . 'kiro-core[testing]'",
            "  pytest",
            "",
            "Then it is installed, and the settings choose it:",
            *(f"  {line}".rstrip() for line in _named(about.settings, names).splitlines()),
            "",
            "See it, and try it:",
            "  kiro-core plugins",
            f"  {_named(about.trial, names)}",
            "",
            "README.md says what to change first.",
            "",
        ]
    )


def _named(text: str, names: Names) -> str:
    return text.replace("example", names.provider)


def _replaced(text: str, words: Mapping[str, str]) -> str:
    """All at once: a name may have any of the words in it. Of two that begin at one place, the first one counts."""
    return re.sub("|".join(map(re.escape, words)), lambda found: words[found[0]], text)


def _files(folder: Traversable, path: str = "") -> Iterator[tuple[str, Traversable]]:
    """The files of a skeleton, without what Python leaves beside them."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry, f"{path}{entry.name}/")
        else:
            yield f"{path}{entry.name}", entry
