"""Let no error of the disk out of a held session but in words, and say when its lease is gone."""

from __future__ import annotations

import anyio

from kiro_core.errors import Fenced, Unavailable
from kiro_files.disk import Disk
from kiro_files.files import Files
from kiro_files.refusals import unavailable


class Told:
    """Around everything that an owner does; not a generator, since it is entered once or twice for every record."""

    __slots__ = ("_disk", "_files", "_lost")

    def __init__(self, files: Files, disk: Disk, lost: anyio.Event) -> None:
        """Set `lost` when the lease is gone."""
        self._files = files
        self._disk = disk
        self._lost = lost

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is None:
            return
        if isinstance(error, Fenced):
            self._lost.set()
        elif isinstance(error, OSError):
            raise self._explained(error) from error

    def _explained(self, error: OSError) -> Unavailable:
        said = unavailable(error, f"The session {self._files.id} could not be stored in {self._files.folder}")
        if error is self._disk.failed:
            said.hint += " Then close the session and open it again: what was not flushed may be lost."
        return said
