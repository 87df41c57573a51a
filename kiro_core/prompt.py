"""Verbs that some can do without waiting, used only where nobody has changed the verbs for which they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def prompt_verb(owner: object, verb: str, *slow: str) -> Callable[..., Any] | None:
    """The method `verb` of an object, if the class that has it has those that may wait as well; else None.

    So whoever overrides or wraps one of these is not passed by.
    """
    homes = {next((kind for kind in type(owner).__mro__ if name in vars(kind)), object) for name in (verb, *slow)}
    return getattr(owner, verb) if len(homes) == 1 and object not in homes else None
