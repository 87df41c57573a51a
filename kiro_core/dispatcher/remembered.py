"""Earlier answers of a person come out of a file: one that cannot be read keeps no session shut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from kiro_core.agentconfig.names import Capability
from kiro_core.types import Notice


class _Answer(msgspec.Struct):
    """What `Policy.remember` makes."""

    effect: Literal["allow", "deny"]
    tool: str = ""
    name: str = ""
    title: str = ""
    on: list[str] = []
    setting: str = ""
    capability: Capability = "all"
    patterns: list[str] = []


def usable(answers: Sequence[Mapping[str, Any]]) -> tuple[Sequence[Mapping[str, Any]], Sequence[Notice]]:
    """Those that can be taken back, and what to tell of the others."""
    good = [answer for answer in answers if _is_one(answer)]
    if not (bad := len(answers) - len(good)):
        return good, []
    sentence = f"Of the answers that the session remembers {bad} cannot be read; what they were about is asked again."
    return good, [Notice("answers_ignored", sentence, details={"ignored": bad})]


def _is_one(answer: Any) -> bool:
    try:
        msgspec.convert(answer, _Answer)
    except msgspec.ValidationError:
        return False
    return True
