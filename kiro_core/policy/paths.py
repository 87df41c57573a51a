"""Decides whether a path lies where a rule says, seen through `..`, symbolic links and the spelling of its letters."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from kiro_core.policy.expressions import Whole
from kiro_core.policy.path_globs import BRACES, EVERYTHING, GLOB, glob_expression, without_braces

_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """Where relative paths begin (`cwd`), what else belongs to the session (`roots`) and what `~` stands for."""

    cwd: str
    roots: Sequence[str]
    home: Path

    def joined(self, path: str) -> str:
        """Absolute; `..` stays, since behind a link it leads elsewhere than it seems. A `file:` URI is its path."""
        if path.startswith("file://"):
            path = "/" + unquote(path.removeprefix("file://").partition("/")[2])
        if path == "~" or path.startswith("~/"):
            path = str(self.home) + path[1:]
        return os.path.join(self.cwd, path)  # noqa: PTH118 - pathlib drops what matters here

    def absolute(self, path: str) -> str:
        """Absolute as it is written, without `..`."""
        return os.path.normpath(self.joined(path))

    def real(self, path: str) -> str:
        """Where a path really leads: links followed as far as it exists; "" for what can be no path."""
        return real(self.joined(path)) if len(path) <= _LONGEST else ""


def real(path: str) -> str:
    """Where an absolute path really leads: links followed as far as it exists; "" for what can be no path."""
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return ""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Globs of paths: `*` and `?` stay within a name, `**` does not; what lies below a match may belong to it.

    The fixed beginning of each is followed through links once, when the rule is made: a link that comes to stand
    there later leads out of it.
    """

    exact: tuple[Whole, ...]
    wide: tuple[Whole, ...]
    place: Place

    @classmethod
    def of(cls, globs: Sequence[str], place: Place, *, below: bool) -> Patterns:
        """With `below`, everything inside a match is covered too; too many braces may be anything."""
        exact, wide = list[Whole](), list[Whole]()
        for glob in [form for each in globs for form in without_braces(each)]:
            if BRACES.search(glob):
                wide.append(EVERYTHING)
                continue
            written = _absolute(glob, place)
            resolved = _resolved(written)
            exact.append(glob_expression(resolved, below=below))
            wide += [
                glob_expression(_folded(form), below=True, denying=True)
                for form in {written, resolved, *_anywhere(glob)}
            ]
        return cls(tuple(exact), tuple(wide), place)

    def covers(self, path: str) -> bool:
        """Whether that is certainly where the path leads."""
        where = self.place.real(path)
        return bool(where) and any(pattern.fullmatch(where) for pattern in self.exact)

    def touches(self, path: str) -> bool:
        """Whether the path as it is written, or where it leads, may be there; so may one too long for a path."""
        forms = {_folded(self.place.absolute(path)), _folded(self.place.real(path))}
        return len(path) > _LONGEST or any(pattern.fullmatch(form) for pattern in self.wide for form in forms)


def inside(path: str, place: Place) -> bool:
    """Whether a path really leads into a folder of the session."""
    where = place.real(path)
    folders = [real(folder) for folder in (place.cwd, *place.roots)]
    return bool(where) and any(folder and Path(where).is_relative_to(folder) for folder in folders)


def _anywhere(glob: str) -> Iterator[str]:
    """A bare name, and what begins with `**/`, is forbidden in every folder."""
    if "/" not in glob.strip("/") and not glob.startswith("~"):
        yield f"/**/{glob.strip('/')}"
    elif glob.startswith("**/"):
        yield f"/{glob}"


def _absolute(glob: str, place: Place) -> str:
    path = place.absolute(glob)
    return f"{path}/**" if glob.endswith("/") and path != "/" else path


def _resolved(glob: str) -> str:
    """The glob with its fixed beginning seen through links."""
    sign = GLOB.search(glob)
    fixed = glob if sign is None else glob[: sign.start()].rpartition("/")[0]
    return (real(fixed or "/") or fixed).rstrip("/") + glob[len(fixed) :]


def _folded(path: str) -> str:
    """Some file systems know neither capitals nor how an accent is written."""
    return unicodedata.normalize("NFC", path).casefold()
