"""What a method of the agent may return: an answer, one with something to do behind it, or one that takes its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

Params = dict[str, Any]
Answer = dict[str, Any]


def _nothing() -> None:
    """Leave it at the answer."""


class Reply(NamedTuple):
    """An answer, and what follows as soon as it is written."""

    answer: Answer
    then: Callable[[], None] = _nothing


Later = Callable[[], Answer | Reply]
"""It is made in a thread, and the next message is read meanwhile."""
Method = Callable[[Params], Answer | Reply | Later]
