"""Keep conversations between processes, as JSON files of one folder that are private to their user."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path

from kiro_core.rehearsal.session import Session

_ID = re.compile(r"rehearsal-\d+-\d+")


class Memory:
    """A folder with one file a session."""

    def __init__(self, folder: str) -> None:
        """Make the folder where it is missing."""
        self._folder = Path(folder)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def save(self, session: Session) -> None:
        """Replace the session's file at once, whole."""
        body = {"format": 1, "model": session.model, "mode": session.mode, "history": session.history}
        fd, name = tempfile.mkstemp(dir=self._folder)
        with os.fdopen(fd, "w") as file:
            json.dump(body, file)
        Path(name).replace(self._path(session.id))

    def load(self, name: str) -> Session | None:
        """The session of that id as it was saved, or None."""
        if not _ID.fullmatch(name) or not self._path(name).exists():
            return None
        body = json.loads(self._path(name).read_text())
        return Session(name, body["model"], body["mode"], body["history"])

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
