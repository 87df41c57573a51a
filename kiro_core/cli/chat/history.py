"""Keeps what a person has typed, between chats and in a file of their own."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from prompt_toolkit.history import History

from kiro_core.cli.text import tell

_LOG = logging.getLogger(__name__)
_LARGEST = 1 << 20
"""Bytes; a longer file is cut to half of it when it is read, by its oldest entries."""
_LARGEST_ENTRY = 1 << 16


class FileHistory(History):
    """One JSON string a line, so that an entry may have several; only its owner may read the file.

    As in a shell, what begins with a space is not kept.
    """

    def __init__(self, path: Path) -> None:
        """Keep it in `path`; where that cannot be read or written, this chat's own lines are all there is."""
        self._path = path
        super().__init__()

    def load_history_strings(self) -> Iterator[str]:
        """The entries, the newest first."""
        try:
            lines = self._path.read_bytes().splitlines(keepends=True)
            if sum(map(len, lines)) > _LARGEST:
                lines = _newest(lines)
                self._replace(b"".join(lines))
        except FileNotFoundError:
            return
        except OSError as error:
            tell(f"notice: What was typed before could not be read from {self._path}: {error.strerror}.")
            return
        for line in reversed(lines):
            with suppress(ValueError):  # somebody else wrote into it
                if isinstance(entry := json.loads(line), str):
                    yield entry

    def store_string(self, string: str) -> None:
        """Append an entry with one write, so that two chats do not mix theirs."""
        line = json.dumps(string).encode() + b"\n"
        if string.startswith(" ") or len(line) > _LARGEST_ENTRY:
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(fd, line)
            finally:
                os.close(fd)
        except OSError as error:
            _LOG.info("the history could not be kept in %s: %s", self._path, error.strerror)

    def _replace(self, content: bytes) -> None:
        path = self._path.resolve()
        fd, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(fd, "wb") as file:
            file.write(content)
        Path(name).replace(path)


def _newest(lines: Sequence[bytes]) -> list[bytes]:
    room = _LARGEST // 2
    kept = []
    for line in reversed(lines):
        room -= len(line)
        if room < 0:
            break
        kept.append(line)
    return kept[::-1]
