"""Keep an agent's paths inside its session's folders, whatever links lie about and whoever moves them meanwhile.

A path is resolved and compared with the folders, themselves resolved. It is then opened from its
folder downwards, part by part and without following a link, so that what was put in place of a part
since then is not followed either.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePath

from kiro_core.session.services.served import invalid

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads: `parts` below `top`, a folder of the session that it calls `folder`; no part is a link."""

    folder: str
    top: str
    parts: Sequence[str]

    def __str__(self) -> str:
        """The path in the session's own words."""
        return str(PurePath(self.folder, *self.parts))

    @property
    def real(self) -> str:
        """The path as the system knows it."""
        return str(PurePath(self.top, *self.parts))


def place(path: str, folders: Sequence[str]) -> Place:
    """Where an absolute path leads, links resolved; it need not exist.

    Raises:
        RpcError: it leads out of the folders.

    """
    real = PurePath(os.path.realpath(path))
    for folder in folders:
        top = os.path.realpath(folder)
        if real.is_relative_to(top):
            return Place(folder, top, real.relative_to(top).parts)
    raise invalid(f"{path} is outside of the session's folders.")


@contextmanager
def opened_folder(where: Place, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """The descriptor of the folder that holds a place, and the name in it; `make` makes missing folders.

    Raises:
        RpcError: the place is a folder of the session itself.
        OSError: the folder cannot be opened, or a link was put into the way.

    """
    if not where.parts:
        raise invalid(f"{where} is a folder.")
    with ExitStack() as opened:
        folder = _opened(opened, where.top, None)
        for part in where.parts[:-1]:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=folder)
            folder = _opened(opened, part, folder)
        yield folder, where.parts[-1]


def _opened(opened: ExitStack, name: str, parent: int | None) -> int:
    folder = os.open(name, _FOLDER, dir_fd=parent)
    opened.callback(os.close, folder)
    return folder
