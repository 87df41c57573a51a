"""How whoever holds a session can be reached."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Contact:
    """How whoever holds a session can be reached, for messages and for asking it.

    `face` is what it serves ("acp", "run"), `socket` the path of its desk socket; empty for none.
    """

    face: str = ""
    socket: str = ""


NO_CONTACT = Contact()
"""Of one that cannot be reached."""
