"""Launches on disk, so that another desk can end what a killed one has left when its watchdog was killed too."""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kiro_core.processes import ProcessMark, boot_id

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Left:
    """A launch whose desk is gone: its program's name, and the process that it began with."""

    launch: str
    program: str
    leader: ProcessMark


def receipts_folder() -> Path:
    """Where they are: `$KIRO_HOME/run/processes`, else below `~/.kiro`."""
    return Path(os.environ.get("KIRO_HOME") or "~/.kiro").expanduser().absolute() / "run" / "processes"


class Receipts:
    """The receipts of one folder, `{launch}.json` each: `{program, leader: {...}, desk: {...}}`, the marks whole."""

    def __init__(self, folder: Path, desk: ProcessMark) -> None:
        """Write them for this desk; the folder is made with the first one."""
        self.folder = folder
        self._desk = desk
        self._told = False

    def write(self, launch: str, program: str, leader: ProcessMark) -> None:
        """Note a launch; one that cannot be written is told once, since the launch does not need it."""
        receipt = {"program": program, "leader": leader._asdict(), "desk": self._desk._asdict()}
        try:
            self._write(launch, json.dumps(receipt).encode())
        except OSError as error:
            if not self._told:
                self._told = True
                _log.warning("no receipts of launched processes can be written to %s: %s", self.folder, error)

    def remove(self, launch: str) -> None:
        """Nothing is left of a launch."""
        with suppress(OSError):
            self._path(launch).unlink()

    def left(self) -> list[Left]:
        """The launches of desks that are proven dead; receipts that can say nothing of this machine are removed.

        Those are receipts from before it was started, when all processes ended, and torn ones.
        """
        return [left for path in self._paths() if (left := self._left(path))]

    def _left(self, path: Path) -> Left | None:
        try:
            receipt = json.loads(path.read_bytes())
            program, leader, desk = str(receipt["program"]), _mark(receipt["leader"]), _mark(receipt["desk"])
        except OSError:
            return None
        except (ValueError, LookupError, TypeError):
            self.remove(path.stem)
            return None
        if desk.boot != boot_id():
            self.remove(path.stem)
            return None
        return Left(path.stem, program, leader) if desk.alive is False else None

    def _paths(self) -> list[Path]:
        try:
            return sorted(self.folder.glob("*.json"))
        except OSError:
            return []

    def _path(self, launch: str) -> Path:
        return self.folder / f"{launch}.json"

    def _write(self, launch: str, content: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            fd = os.open(self._path(launch), flags, 0o600)
        except FileNotFoundError:
            for folder in (*reversed(self.folder.parents), self.folder):
                folder.mkdir(mode=0o700, exist_ok=True)
            fd = os.open(self._path(launch), flags, 0o600)
        with os.fdopen(fd, "wb", buffering=0) as file:
            file.write(content)


def _mark(fields: Any) -> ProcessMark:
    """A mark as it was written.

    Raises:
        ValueError, TypeError: it is none.

    """
    mark = ProcessMark(**fields)
    if [type(value) for value in mark] != [int, str, str, str]:
        raise ValueError("not a mark")
    return mark
