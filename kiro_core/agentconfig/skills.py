"""An agent knows of a skill what it is for and where it stands; the rest it reads when it needs it."""

from __future__ import annotations

from pathlib import Path

from kiro_core.agentconfig.markdown import front_matter
from kiro_core.agentconfig.reading import Unreadable, read_text
from kiro_core.types import Resource


def read_skill(path: Path) -> Resource:
    """Name and description of a `SKILL.md` (agentskills.io); without a name it is called as its folder.

    Raises:
        Unreadable: it cannot be read, or has no description.

    """
    fields = front_matter(read_text(path)[0])
    name, description = fields.get("name") or path.parent.name, fields.get("description")
    if not isinstance(name, str) or not isinstance(description, str) or not description.strip():
        message = "has no description, or a name that is not text"
        raise Unreadable(message)
    return Resource(path.as_uri(), " ".join(description.split()), " ".join(name.split()))
