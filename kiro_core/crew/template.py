"""Prompts are written with places for the task and for earlier results, so that stages hand on what they found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_RESULT = re.compile(r"stages\.([A-Za-z0-9_-]+)\.result")


class Place(NamedTuple):
    """Something in braces: the result of a `stage`, what is `wrong` as it is written, or else the task."""

    stage: str = ""
    wrong: str = ""


def places(text: str) -> Iterator[Place]:
    """All places of a prompt, in order."""
    for found in _TOKEN.finditer(text):
        if found[0] not in ("{{", "}}"):
            yield _place(found)


def fill(text: str, task: str, result_of: Callable[[str], str]) -> str:
    """The prompt with the task and the results in their places; nothing inside of these is taken for a place."""

    def filled(found: re.Match[str]) -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        place = _place(found)
        if place.wrong:
            return place.wrong
        return result_of(place.stage) if place.stage else task

    return _TOKEN.sub(filled, text)


def literal(text: str) -> str:
    """A text as it is written in a prompt that says just this."""
    return text.replace("{", "{{").replace("}", "}}")


def result_place(stage: str) -> str:
    """How the result of a stage is written in a prompt."""
    return f"{{stages.{stage}.result}}"


def _place(found: re.Match[str]) -> Place:
    if found[1] == "task":
        return Place()
    result = _RESULT.fullmatch(found[1] or "")
    return Place(stage=result[1]) if result else Place(wrong=found[0])
