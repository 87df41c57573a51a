"""What a prompt says of itself to the desk, for a turn that messages began."""

from __future__ import annotations

from typing import NamedTuple

from kiro_core.frames import Frame
from kiro_core.messages import MARK


class Prompted(NamedTuple):
    """`_meta.kiro_core` of a prompt: the `messages` whose letters it holds, and through how many `hops` it came.

    A prompt that a person wrote has none. Whoever prompts for an agent says the hops.
    """

    messages: tuple[str, ...] = ()
    hops: int = 0


def prompted(prompt: Frame) -> Prompted:
    """Read it."""
    meta = prompt.params.get("_meta")
    ours = meta.get(MARK) if isinstance(meta, dict) else None
    ours = ours if isinstance(ours, dict) else {}
    messages, hops = ours.get("messages"), ours.get("hops")
    named = tuple(map(str, messages)) if isinstance(messages, list) else ()
    return Prompted(named, hops if isinstance(hops, int) and hops > 0 else 0)
