"""Letters that sessions write to each other, within the rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from kiro_core.crew.members.rules import CONTEXT_CHARACTERS, Rate, refused, require_hops, require_text
from kiro_core.crew.posting import post
from kiro_core.errors import CrewRefused, InboxFull, KiroError, SessionNotFound, Unavailable
from kiro_core.journal import utc_now
from kiro_core.types import RUN, Letter, LetterKind, SessionId

if TYPE_CHECKING:
    from kiro_core.crew.members.finding import Finding
    from kiro_core.crew.members.news import News
    from kiro_core.crew.members.trees import Trees


class Mail:
    """The verbs `send`, `broadcast`, `inject` and `read`; see `ports.Members`."""

    def __init__(self, trees: Trees, finding: Finding, news: News) -> None:
        """Send nothing yet."""
        self.rate: Final = Rate()
        self._trees = trees
        self._finding = finding
        self._news = news

    async def send(self, by: str, target: str, text: str, *, escalates: bool, name: str) -> Letter:
        """See `Members.send`; `name` tells this letter from any other of the sender."""
        require_text(text)
        if escalates and not target:
            return await self._put(by, self._up(by), text, "escalation", name)
        return await self._put(by, await self._reader(by, target), text, "escalation" if escalates else "message", name)

    async def broadcast(self, by: str, group: str, text: str) -> Sequence[Letter]:
        """See `Members.broadcast`."""
        require_text(text)
        letters: list[Letter] = []
        got: list[str] = []
        missed: dict[str, InboxFull | Unavailable] = {}
        readers = self._others(by, group)
        hops = self._hops(by)
        self.rate.count(by, len(readers))
        for to in readers:
            letter = self._letter(by, text, "message", str(uuid4()), hops)
            try:
                await post(self._trees.ground, to, letter)
            except SessionNotFound:
                continue  # somebody has deleted it just now
            except (InboxFull, Unavailable) as error:
                missed[self._trees.name(to)] = error
            else:
                letters.append(letter)
                got.append(self._trees.name(to))
        if missed:
            first = next(iter(missed.values()))
            raise _partly(first, list(missed), got) from first
        return letters

    async def inject(self, by: str, target: str, text: str) -> Letter:
        """See `Members.inject`."""
        require_text(text, CONTEXT_CHARACTERS)
        return await self._put(by, self._finding.reader(by, target), text, "context", "")

    async def read(self, by: str, limit: int) -> Sequence[Letter]:
        """See `Members.read`."""
        return await self._finding.acting(by).inbox.read(limit)

    async def _put(self, by: str, to: SessionId, text: str, kind: LetterKind, name: str) -> Letter:
        hops = self._hops(by)
        self.rate.count(by)
        letter = self._letter(by, text, kind, name or str(uuid4()), hops)
        await post(self._trees.ground, to, letter)
        self._news.activity(to, "message", letter.name or "a person", text, f"to {self._trees.name(to)}: ")
        return letter

    def _letter(self, by: str, text: str, kind: LetterKind, name: str, hops: int) -> Letter:
        # Nobody can take the id of somebody else's letter, which would keep that one out.
        return Letter(f"{by or 'person'}:{name}", utc_now(), by, self._trees.name(SessionId(by)), kind, text, hops)

    def _hops(self, by: str) -> int:
        return require_hops(self._finding.acting(by).inbox.hops) if by else 0

    def _up(self, by: str) -> SessionId:
        """The nearest session above at which there is a person, else the one at the top."""
        above = self._trees.above(self._finding.acting(by).id)
        if not above:
            raise refused("empty", "There is nobody above this session.", hint="Say it to whoever prompts it.")
        lives = (self._trees.ground.live(session) for session in above)
        return next((live.id for live in lives if live is not None and live.attended), above[-1])

    def _others(self, by: str, group: str) -> list[SessionId]:
        trees, finding = self._trees, self._finding
        roots = [trees.root(finding.acting(by).id)] if by else trees.roots()
        members = [each for root in roots for each in trees.tree(root) if group and each.kept.group == group]
        if not members:
            raise refused("unknown", f"Nobody of the crew is in a group {group!r}.", hint="List the groups first.")
        others = [each.session for each in members if each.session != by]
        for session in others:
            finding.require_known(by, session)
        readers = [session for session in others if trees.ground.live(session) is not None]
        if not readers:
            raise refused("empty", f"No other session of the group {group!r} is open.", hint="Revive one first.")
        return readers

    async def _reader(self, by: str, target: str) -> SessionId:
        try:
            return self._finding.reader(by, target)
        except CrewRefused as error:
            if by or error.details["rule"] != "unknown":
                raise
        info = await self._trees.ground.store.get(SessionId(target))  # a person may mean any, wherever it is
        if info.kind == RUN:
            raise refused("unknown", f"{target} is a run, and reads nothing.", hint="Name one of its sessions.")
        self._trees.ground.require_kept(info)
        return info.id


def _partly(first: KiroError, missed: list[str], got: list[str]) -> KiroError:
    """What the sender is told of a letter that not all have, so that nobody gets it twice."""
    sentence = f"{first} Without the message: {', '.join(missed)}; with it: {', '.join(got) or 'nobody'}."
    return type(first)(sentence, hint="Send it again to those without it alone.", missed=missed, got=got)
