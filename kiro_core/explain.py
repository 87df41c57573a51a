"""Says what is wrong with a name or a key in words that help: the near miss, the origin, what there is.

It reads pydantic's models and findings without importing pydantic, which the start of a command
cannot afford. No text repeats a value: it may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from kiro_core.errors import SettingsError

if TYPE_CHECKING:
    from pydantic import ValidationError

KeyPath = tuple[str, ...]
"""The way to a key from the top of a mapping."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with one key; `known` are the keys that its place has, when it has no such key."""

    path: KeyPath
    reason: str = ""
    known: Sequence[str] = ()

    def sentence(self, owner: str, origin: str) -> str:
        """`owner` begins the sentence ("Settings", "Store 'files'"); an empty `origin` is left out."""
        key, place = dotted(self.path), f" ({origin})" if origin else ""
        if self.reason:
            subject = f"{key} {self.reason}" if self.reason.startswith(("should", "is ")) else f"{key}: {self.reason}"
            return f"{owner}: {subject.removeprefix(': ')}{place}."
        return f"{owner}: there is no key {key!r}{place}{near_miss(self.path[-1], self.known, self.path[:-1])}"


def near_miss(name: str, known: Iterable[str], inside: KeyPath = ()) -> str:
    """The end of a sentence about an unknown name: the most similar known one as a question, or a full stop.

    `inside` is put in front of it where the names are keys of a table.
    """
    by_folded = {candidate.casefold(): candidate for candidate in known}
    from difflib import get_close_matches  # only who has made a mistake waits for it

    close = get_close_matches(name.casefold(), by_folded, n=1)
    if not close:
        return "."
    near = by_folded[close[0]]
    return f"; did you mean {(dotted((*inside, near)) if inside else near)!r}?"


def dotted(path: Iterable[str]) -> str:
    """A key path as TOML writes it: `engines."my.agent".command`."""
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"' for part in path)


def below(annotation: Any, key: str) -> Any:
    """The type of a key inside a value of that type: a model's field, a mapping's value, else None."""
    annotation = bare(annotation)
    if fields := getattr(annotation, "model_fields", None):
        return bare(fields[key].annotation) if key in fields else None
    arguments = get_args(annotation)
    return bare(arguments[1]) if get_origin(annotation) is dict else None


def bare(annotation: Any) -> Any:
    """The type without `Annotated` and without `| None`."""
    if get_origin(annotation) is Annotated:
        return bare(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return bare(next(option for option in get_args(annotation) if option is not type(None)))
    return annotation


def unknown(path: KeyPath, model: Any) -> Finding:
    """The finding about a key that a model has not, wherever inside it."""
    place = model
    for key in path[:-1]:
        place = below(place, key)
    return Finding(path, known=tuple(getattr(place, "model_fields", ())))


def findings(error: ValidationError, model: Any) -> list[Finding]:
    """What pydantic refused, in our words."""
    found = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        path = tuple(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            found.append(unknown(path, model))
        elif item["type"] in {"dict_type", "model_type"}:
            found.append(Finding(path, "should be a table"))
        elif item["type"] == "list_type":
            found.append(Finding(path, 'should be a list, such as ["one", "two"]'))
        else:
            found.append(Finding(path, item["msg"].removeprefix("Input ").removeprefix("Value error, ")))
    return found


def refusal(owner: str, found: Sequence[Finding], origins: Mapping[KeyPath, str]) -> SettingsError:
    """One error for all findings: the first is its sentence, the hint has the rest, one a line.

    `details["problems"]` is a list of `{key, origin, reason}`.
    """
    places = [origin_of(finding.path, origins) for finding in found]
    sentences = [finding.sentence(owner, place) for finding, place in zip(found, places, strict=True)]
    available = [f"Available: {', '.join(found[0].known)}."] if found[0].known else []
    problems = [
        {"key": dotted(finding.path), "origin": place, "reason": finding.reason or "unknown key"}
        for finding, place in zip(found, places, strict=True)
    ]
    return SettingsError(sentences[0], hint="\n".join(available + sentences[1:]), problems=problems)


def origin_of(path: KeyPath, origins: Mapping[KeyPath, str]) -> str:
    """Where a key was set, or what is around it, or else the first key inside it; empty when nobody knows."""
    for end in range(len(path), -1, -1):
        if path[:end] in origins:
            return origins[path[:end]]
    return next((origin for key, origin in origins.items() if key[: len(path)] == path), "")


def in_words(error: BaseException) -> str:
    """A failure of code that is not ours, such as `OSError: disk on fire.` for one that has no full stop."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - neither are the words of its failures
        text = ""
    return f"{type(error).__name__}: {text}".rstrip(": .") + "."


def last_words(stderr: str) -> str:
    """A sentence with the line of a program's stderr that says most: the last one about an error, else the last."""
    lines = stderr.strip().splitlines()
    if not lines:
        return "It wrote nothing to stderr."
    # Some programs end with their version, which says less than a line about an error.
    return f"Its last words: {next((line for line in reversed(lines) if 'error' in line.lower()), lines[-1]).strip()}"
