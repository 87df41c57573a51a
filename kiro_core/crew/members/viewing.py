"""A member as others see it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiro_core.types import Member

if TYPE_CHECKING:
    from kiro_core.crew.members.roster import Entry
    from kiro_core.crew.members.trees import Trees


class Viewing:
    """Shows members; it keeps what each does at the moment."""

    def __init__(self, trees: Trees) -> None:
        """Show those."""
        self._trees = trees
        self._does: dict[str, str] = {}

    def heard(self, session: str, line: str) -> None:
        """A member did something."""
        self._does[session] = line

    def forget(self, session: str) -> None:
        """A session has ended."""
        self._does.pop(session, None)

    def member(self, entry: Entry) -> Member:
        """How one stands."""
        kept, live, parent = entry.kept, self._trees.ground.live(entry.session), self._trees.ground.live(entry.parent)
        work = self._trees.works.get(entry.session)
        outcome = "" if work is not None and not work.is_over else entry.outcome
        if not outcome and work is None and parent is None:
            outcome = "unknown"  # its parent was cut off, and has not been opened since
        return Member(
            session=kept.session,
            name=kept.name,
            parent=entry.parent,
            task=kept.task if parent is None else parent.filtered(kept.task),
            status=self.status(entry),
            created=kept.created,
            active=entry.active or kept.created,
            role=kept.role,
            group=kept.group,
            agent=kept.agent,
            engine=kept.engine,
            depends_on=kept.depends_on,
            persistent=kept.persistent,
            doing=self.doing(entry),
            outcome=outcome,
            result=(entry.result or "") if outcome else "",
            unread=len(live.inbox.unread) if live is not None and live.ready else 0,
            depth=self._trees.depth(entry.session),
        )

    def status(self, entry: Entry) -> str:
        """See `Member.status`."""
        work, live = self._trees.works.get(entry.session), self._trees.ground.live(entry.session)
        if work is not None and not work.is_over:
            return "working" if work.begun else "blocked"
        if live is None or not live.ready:
            return "terminated"
        return "working" if live.turn else "idle"

    def doing(self, entry: Entry) -> str:
        """See `Member.doing`."""
        work = self._trees.works.get(entry.session)
        if work is None or work.is_over or work.begun:
            return self._does.get(entry.session, "") if self.status(entry) == "working" else ""
        return f"waits for {', '.join(work.before()) or 'a free place'}"
