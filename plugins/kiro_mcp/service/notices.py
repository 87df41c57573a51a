"""What sessions tell besides their conversation, kept until a result carries it to a host."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from typing import Any

from kiro_core.messages import MARK
from kiro_mcp.service.showing import one_line
from kiro_mcp.service.views import Notice

_NEWEST = 20
_SESSIONS = 1000
_LONGEST = 2000
_TOLD_ALWAYS = frozenset({"context_reset"})
"""What matters to a host although it is nothing to worry about."""


class Notices:
    """The newest twenty of each session that no result has carried yet."""

    def __init__(self) -> None:
        """Have nothing to tell."""
        self._kept: OrderedDict[str, deque[Notice]] = OrderedDict()

    def add(self, session: str, notice: Notice) -> None:
        """Keep a notice, once; what only informs is left out."""
        if notice.severity == "info" and notice.kind not in _TOLD_ALWAYS:
            return
        kept = self._kept.setdefault(session, deque(maxlen=_NEWEST))
        if notice not in kept:
            kept.append(notice)
        self._kept.move_to_end(session)
        if len(self._kept) > _SESSIONS:
            self._kept.popitem(last=False)

    def drop(self, session: str, *kinds: str) -> None:
        """Forget notices that are not true any more."""
        kept = [notice for notice in self.take(session) if notice.kind not in kinds]
        if kept:
            self._kept[session] = deque(kept, maxlen=_NEWEST)

    def take(self, session: str) -> Sequence[Notice]:
        """What a result about the session carries, oldest first; it is carried once."""
        return tuple(self._kept.pop(session, ()))


def notice_of(update: Mapping[str, Any]) -> Notice:
    """What a `notice` update says: the desk's own have a kind, and an agent's are of the kind "agent"."""
    meta = update.get("_meta")
    ours = meta.get(MARK) if isinstance(meta, dict) else None
    kind = str(ours.get("notice") or "agent") if isinstance(ours, dict) else "agent"
    parts = (one_line(str(update.get(key) or "")) for key in ("title", "description"))
    sentence = " ".join(part for part in parts if part)
    return Notice(kind, sentence[:_LONGEST], str(update.get("severity") or "warning"))
