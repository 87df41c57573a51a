"""Decides whether a path lies where a rule says, seen through `..`, symbolic links and the spelling of its letters."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

_GLOB = re.compile(r"\*\*/|\*\*|\*|\?|\[[!^]?[^\]/]+\]")
_LONGEST = 4096
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")


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

    exact: tuple[re.Pattern[str], ...]
    wide: tuple[re.Pattern[str], ...]
    place: Place

    @classmethod
    def of(cls, globs: Sequence[str], place: Place, *, below: bool) -> Patterns:
        """With `below`, everything inside a match is covered too."""
        exact, wide = [], []
        for glob in [form for each in globs for form in _without_braces(each)]:
            written = _absolute(glob, place)
            resolved = _resolved(written)
            exact.append(_expression(resolved, below=below))
            wide += [_expression(_folded(form), below=True) for form in {written, resolved, *_anywhere(glob)}]
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


def _without_braces(glob: str) -> list[str]:
    """`{a,b}` as the globs for which it stands."""
    found = _BRACES.search(glob)
    if found is None:
        return [glob]
    begin, end = glob[: found.start()], glob[found.end() :]
    return [form for part in found[1].split(",") for form in _without_braces(begin + part + end)]


def _absolute(glob: str, place: Place) -> str:
    path = place.absolute(glob)
    return f"{path}/**" if glob.endswith("/") and path != "/" else path


def _resolved(glob: str) -> str:
    """The glob with its fixed beginning seen through links."""
    sign = _GLOB.search(glob)
    fixed = glob if sign is None else glob[: sign.start()].rpartition("/")[0]
    return (real(fixed or "/") or fixed).rstrip("/") + glob[len(fixed) :]


def _expression(glob: str, *, below: bool) -> re.Pattern[str]:
    if glob.endswith("/**"):
        glob, below = glob[:-3], True
    parts, at = [], 0
    for sign in _GLOB.finditer(glob):
        parts += [re.escape(glob[at : sign.start()]), _sign(sign.group())]
        at = sign.end()
    parts.append(re.escape(glob[at:]))
    return re.compile(f"{''.join(parts)}{'(?:/.*)?' if below else ''}", re.DOTALL)


def _sign(sign: str) -> str:
    if sign.startswith("["):
        negated = sign[1] in "!^"
        inner = re.sub(r"(?<=\w)\\-(?=\w)", "-", re.escape(sign[2 if negated else 1 : -1]))
        expression = f"(?!/)[{'^' if negated else ''}{inner}]"
        try:
            re.compile(expression)
        except re.error:
            return re.escape(sign)
        return expression
    return {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}[sign]


def _folded(path: str) -> str:
    """Some file systems know neither capitals nor how an accent is written."""
    return unicodedata.normalize("NFC", path).casefold()
