"""Keep conversations between processes, as JSON files of one folder that are private to their user."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

_ID = re.compile(r"[A-Za-z0-9-]+")


class Memory:
    """A folder with one file a session."""

    def __init__(self, folder: str) -> None:
        """Make the folder where it is missing."""
        self._folder = Path(folder)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def save(self, session: str, body: dict[str, Any]) -> None:
        """Replace the session's file at once, whole."""
        fd, name = tempfile.mkstemp(dir=self._folder)
        with os.fdopen(fd, "w") as file:
            json.dump(body, file)
        Path(name).replace(self._path(session))

    def load(self, session: str) -> dict[str, Any] | None:
        """What was saved of the session of that id, or None."""
        if not _ID.fullmatch(session) or not self._path(session).exists():
            return None
        body: dict[str, Any] = json.loads(self._path(session).read_text())
        return body

    def delete(self, session: str) -> None:
        """Forget the session of that id, if there is one."""
        if _ID.fullmatch(session):
            self._path(session).unlink(missing_ok=True)

    def bodies(self) -> list[dict[str, Any]]:
        """What was saved of every session."""
        return [json.loads(path.read_text()) for path in self._folder.glob("*.json")]

    def _path(self, session: str) -> Path:
        return self._folder / f"{session}.json"
