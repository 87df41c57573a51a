"""What members and groups are called: by names that people can say, each once in a tree."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import count
from uuid import UUID

from kiro_core.crew.members.rules import refused

_LONGEST = 64
_LONGEST_LINE = 200
_RESERVED = ("a person", "main", "somebody", "another session")
"""What others are called that have no name."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_FIRST = (
    "Ada", "Bruno", "Clara", "Dario", "Edith", "Felix", "Greta", "Hugo", "Ines", "Jonas", "Klara", "Leo", "Mina",
    "Nils", "Olga", "Pablo", "Quinn", "Rosa", "Stefan", "Thea", "Ugo", "Vera", "Willem", "Xenia", "Yusuf", "Zora",
)  # fmt: skip


def checked(name: str) -> str:
    """A name that somebody gives, without white space around it.

    Raises:
        CrewRefused: it cannot be one ("name").

    """
    name = " ".join(name.split()) if not _CONTROLS.search(name) else ""
    if not name or len(name) > _LONGEST or is_id(name) or name.casefold() in _RESERVED:
        raise refused(
            "name",
            "That cannot be a name here.",
            hint=f"Write 1 to {_LONGEST} characters in a line: no id of a session, and none of {', '.join(_RESERVED)}.",
        )
    return name


def line(text: str, what: str) -> str:
    """A text that stands in one line.

    Raises:
        CrewRefused: it does not, or is too long ("length").

    """
    if len(text) > _LONGEST_LINE or _CONTROLS.search(text):
        raise refused(
            "length", f"That cannot be {what}.", hint=f"Write {_LONGEST_LINE} characters on one line at most."
        )
    return text


def require_free(name: str, taken: Collection[str]) -> str:
    """A name that nobody of a tree has; upper and lower case do not tell two apart.

    Raises:
        CrewRefused: somebody has it ("name").

    """
    if name.casefold() in {each.casefold() for each in taken}:
        raise refused("name", f"Another session of this crew is called {name!r}.", hint="Choose another name.")
    return name


def free_name(taken: Collection[str]) -> str:
    """One of our own."""
    known = {name.casefold() for name in taken}
    names = (name if number == 1 else f"{name}-{number}" for number in count(1) for name in _FIRST)
    return next(name for name in names if name.casefold() not in known)


def is_id(name: str) -> bool:
    """Whether it is the id of a session."""
    try:
        UUID(name)
    except ValueError:
        return False
    return True
