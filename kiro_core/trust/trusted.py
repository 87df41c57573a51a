"""Remembers to which documents of which folders the user agreed: in one file that only the user can write."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from kiro_core.errors import RecordInvalid, Unavailable
from kiro_core.settings.files import replace_file
from kiro_core.trust.documents import Document
from kiro_core.trust.locking import locked
from kiro_core.types import FORMAT, Problem

_MAX_BYTES = 16 << 20


class Stored(msgspec.Struct, frozen=True):
    """The file: SHA-256 by origin by folder, all paths without symbolic links."""

    format: int = FORMAT
    folders: dict[str, dict[str, str]] = {}


class Trust:
    """The trusted documents of one user, read anew each time: another process may have changed them.

    All of it works on the disk, so an event loop uses a thread. A file that cannot be used trusts nobody.
    """

    def __init__(self, home: Path) -> None:
        """Keep them in `trust.json` in Kiro's folder of the user."""
        self.path: Final = home / "trust.json"

    def trusted(self, document: Document) -> bool:
        """Whether the user agreed to exactly these bytes, at this place, for this folder and no other."""
        return self.all().get(_real(document.folder), {}).get(_real(document.origin)) == document.digest

    def all(self) -> Mapping[str, Mapping[str, str]]:
        """What is trusted: SHA-256 by origin by folder; nothing when `problem` says something."""
        try:
            return self._read().folders
        except RecordInvalid:
            return {}

    def problem(self) -> Problem | None:
        """Why the file cannot be used, so that nobody is trusted; None when it can."""
        try:
            self._read()
        except RecordInvalid as error:
            return Problem(self.path, "", f"{error.details['reason']}; until it is mended, no folder is trusted")
        return None

    def grant(self, folder: str, documents: Sequence[Document]) -> None:
        """Trust these documents of a folder; what is trusted there already stays so.

        Raises:
            RecordInvalid: the file cannot be used, and is left as it is.
            Unavailable: it cannot be written.

        """
        new = {_real(document.origin): document.digest for document in documents}
        with locked(self.path):
            folders = self._read().folders
            self._write({**folders, _real(folder): {**folders.get(_real(folder), {}), **new}})

    def withdraw(self, folder: str) -> bool:
        """Trust nothing of a folder any more; whether anything was. Folders in it have a trust of their own.

        Raises:
            RecordInvalid: the file cannot be used, and is left as it is.
            Unavailable: it cannot be written.

        """
        with locked(self.path):
            folders = self._read().folders
            kept = {name: documents for name, documents in folders.items() if name != _real(folder)}
            if len(kept) < len(folders):
                self._write(kept)
        return len(kept) < len(folders)

    def _read(self) -> Stored:
        try:
            if reason := _suspicion(self.path.stat()):
                raise self._invalid(reason)
            stored = msgspec.json.decode(self.path.read_bytes(), type=Stored)
        except FileNotFoundError:
            return Stored()
        except OSError as error:
            raise self._invalid(f"cannot be read: {error.strerror}") from error
        except (ValueError, RecursionError, msgspec.MsgspecError) as error:
            raise self._invalid(f"cannot be read: {error}") from error
        if stored.format > FORMAT:
            raise self._invalid(f"has the format {stored.format}, which a newer version has written")
        return stored

    def _write(self, folders: dict[str, dict[str, str]]) -> None:
        try:
            replace_file(self.path, msgspec.json.format(msgspec.json.encode(Stored(FORMAT, folders)), indent=2) + b"\n")
        except OSError as error:
            raise Unavailable(f"{self.path} cannot be written: {error.strerror}.") from error

    def _invalid(self, reason: str) -> RecordInvalid:
        hint = "Mend it, or delete it and trust again what you need: `kiro-core trust DIR`."
        return RecordInvalid(f"The file of the trusted folders {self.path} {reason}.", hint=hint, reason=reason)


def _suspicion(about: os.stat_result) -> str:
    """Why a file is not to be believed, as the predicate of a sentence."""
    if not stat.S_ISREG(about.st_mode) or about.st_size > _MAX_BYTES:
        return f"is not a regular file of at most {_MAX_BYTES} bytes"
    if about.st_uid != os.geteuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "could have been written by somebody else: it has to be yours, with the mode 0600"
    return ""


def _real(path: str) -> str:
    """The same place under its one name; what is no path stays as it is."""
    return os.path.realpath(path) if os.path.isabs(path) else path  # noqa: PTH117 - text, since it may be no path
