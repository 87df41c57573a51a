"""What a chat shows, and how each kind of it looks."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["said", "thought", "yours", "tool", "plan", "notice", "note", "failure"]
"""What the agent says and thinks, what the person said; the rest are lines beside the conversation."""

FLOWING: frozenset[Kind] = frozenset({"said", "thought"})
"""These come in pieces that belong together; each of the others is whole lines."""

_SGR: dict[Kind, str] = {
    "thought": "2",
    "yours": "1",
    "tool": "36",
    "plan": "36",
    "notice": "33",
    "note": "2",
    "failure": "31",
}
"""Select Graphic Rendition (ECMA-48): 1 bold, 2 dim, 31 red, 33 yellow, 36 cyan."""


class Told(NamedTuple):
    """Something to show; `text` is as it came, and not safe for a terminal yet."""

    kind: Kind
    text: str


def styled(kind: Kind, text: str, *, colours: bool) -> str:
    """Text that is safe already, in the colours of its kind; each line for itself, since a terminal may redraw one."""
    code = _SGR.get(kind)
    if not (colours and code and text):
        return text
    return "\n".join(f"\x1b[{code}m{line}\x1b[0m" if line else "" for line in text.split("\n"))
