"""Configurations name files by URI: which ones are meant, and whether they are in the folder, is decided here alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from kiro_core.agentconfig.reading import Unreadable
from kiro_core.settings import kiro_home

FILE, SKILL = "file://", "skill://"

MAX_LOOKED_AT = 20_000
"""So many names of files the patterns of a configuration may look at: a folder of dependencies is no resource."""

_MAX_PARTS = 50


def path_of(uri: str, base: Path) -> Path:
    """The path behind `file://` or `skill://`: `$VAR` and `~` are filled in, a relative one is below `base`.

    Raises:
        Unreadable: the home folder of `~user` is unknown.

    """
    written = os.path.expandvars(uri.removeprefix(FILE).removeprefix(SKILL))
    try:
        return base / Path(written).expanduser()
    except RuntimeError as error:
        raise Unreadable("names a home folder that is unknown") from error


def budget() -> Iterator[int]:
    """What `files_of` may look at, for all URIs of one configuration."""
    return iter(range(MAX_LOOKED_AT))


def files_of(uri: str, base: Path, looks: Iterator[int]) -> list[Path]:
    """The files that a resource means now, sorted: one, those that match its globs, or a skill by its name.

    `*` and `?` match inside one name, `**` any number of folders; neither finds a name that begins with a dot.

    Raises:
        Unreadable: its home folder is unknown, it cannot be looked for, or nothing is left of the budget.

    """
    path = path_of(uri, base)
    try:
        return _files(uri, path, base, looks)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise Unreadable(f"cannot be looked for: {getattr(error, 'strerror', None) or error}") from error


def _files(uri: str, path: Path, base: Path, looks: Iterator[int]) -> list[Path]:
    if uri.startswith(SKILL) and path.suffix != ".md" and not _is_pattern(path):
        name = uri.removeprefix(SKILL)
        places = (path, base / ".kiro" / "skills" / name, kiro_home(os.environ).expanduser() / "skills" / name)
        return [next((place / "SKILL.md" for place in places if (place / "SKILL.md").is_file()), path)]
    if not _is_pattern(path):
        return [path]
    fixed = _fixed(path)
    behind = path.parts[len(fixed.parts) :]
    if len(behind) > _MAX_PARTS:
        message = f"has more than {_MAX_PARTS} parts"
        raise Unreadable(message)
    return sorted(set(_matching(fixed, behind, looks)))


def leads_out(uri: str, base: Path, folder: Path, looks: Iterator[int]) -> bool:
    """Whether a URI names something outside of `folder`, or may, since not all that it names could be looked at."""
    try:
        path = path_of(uri, base)
        behind = path.parts[len(_fixed(path).parts) :]
        files = files_of(uri, base, looks)
        return ".." in behind or not all(is_inside(one, folder) for one in (_fixed(path), *files))
    except Unreadable:
        return True


def is_inside(path: Path, folder: Path) -> bool:
    """Whether `path` is in `folder` once every symbolic link is resolved; what cannot be resolved is not."""
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except (OSError, ValueError):
        return False


def _is_pattern(path: Path | str) -> bool:
    return any(sign in str(path) for sign in "*?")


def _fixed(path: Path) -> Path:
    """The part in front of the first glob."""
    while _is_pattern(path):
        path = path.parent
    return path


def _matching(folder: Path, parts: Sequence[str], looks: Iterator[int]) -> Iterator[Path]:
    if not parts:
        if folder.is_file():
            yield folder
        return
    part, *rest = parts
    if part == "**":
        yield from _matching(folder, rest or ["*"], looks)
        for name in _names(folder, "*", looks):
            if (folder / name).is_dir() and not (folder / name).is_symlink():
                yield from _matching(folder / name, parts, looks)
    else:
        for name in _names(folder, part, looks) if _is_pattern(part) else [part]:
            yield from _matching(folder / name, rest, looks)


def _names(folder: Path, pattern: str, looks: Iterator[int]) -> list[str]:
    """The names in a folder that match; one that begins with a dot only where the pattern does."""
    names = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if next(looks, None) is None:
                    message = f"looks at more than {MAX_LOOKED_AT} files"
                    raise Unreadable(message)
                if pattern.startswith(".") or not entry.name.startswith("."):
                    names.append(entry.name)
    except OSError:
        return []  # gone, forbidden or a file: nothing in it matches
    return sorted(name for name in names if fnmatchcase(name, pattern.replace("[", "[[]")))
