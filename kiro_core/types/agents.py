"""Agent configurations, what is wrong with one, and the agent programs that they are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that goes with an agent's prompt: `text` is a file's, and `uri` (`file:///...`) says which.

    Of a skill, `skill` is the name and `text` the description; its body is read on demand, at `uri`.
    """

    uri: str
    text: str
    skill: str = ""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """An agent configuration as far as the core uses it; everything else stays in `fields`.

    `fields` is the whole JSON object as written; `origin` names where it came from; `digest` is the
    SHA-256 of its bytes (hexadecimal); `workspace` is the folder that it belongs to, empty for the user's
    own. A source leaves the rest to the core: `prompt` is as written until the core has read the file
    that it may name, `resources` are read by then too, and `withheld` names the fields for which the
    document is not used, since its folder is not trusted.
    """

    name: str
    description: str = ""
    prompt: str = ""
    model: str = ""
    origin: str = "built-in"
    digest: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    withheld: Sequence[str] = ()
    workspace: str = ""
    resources: Sequence[Resource] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that is not as it should be: where, which field, why.

    `field` is a dotted path inside the file and `line` counts from 1; both may be unknown ("", 0). `severity` is
    "error" for a file that is not used, and "warning" for one that is used all the same. `reason` is the end
    of a sentence, without its full stop.
    """

    path: Path
    field: str
    reason: str
    line: int = 0
    severity: str = "error"

    def __str__(self) -> str:
        """One line: path, line, field, reason."""
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        return ": ".join(part for part in (place, self.field, self.reason) if part)


@dataclass(frozen=True, slots=True)
class AgentSummary:
    """One agent configuration in a listing; `workspace` and `withheld` are as in `AgentConfig`."""

    name: str
    description: str = ""
    origin: str = ""
    withheld: Sequence[str] = ()
    workspace: str = ""
