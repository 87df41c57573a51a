"""Ask whether a folder is trusted, when what it says is not used for want of that: every client can be asked so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kiro_core.errors import KiroError
from kiro_core.frames import Frame
from kiro_core.notices import TRUST
from kiro_core.session.updates import printable
from kiro_core.trust import Document
from kiro_core.types import Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_OPTIONS = [
    {"optionId": "trust", "name": "Trust it, and use this", "kind": "allow_always"},
    {"optionId": "no", "name": "Go on without it", "kind": "reject_once"},
]


class Trusting:
    """Asks once for a session, before its first prompt is sent."""

    def __init__(self, session: Session) -> None:
        """Ask nothing yet."""
        self._session = session
        self._asked = False

    async def settle(self) -> None:
        """Ask, and use what was agreed to; without an agreement the session stays as it is.

        Raises:
            KiroError: the agent program could not be started with it, nor again without.

        """
        session, documents = self._session, self._session.plan.untrusted
        if self._asked or not documents:
            return
        self._asked = True
        try:
            if await self.agree(documents):
                await session.swaps.trusted_now()
        except KiroError as error:
            sentence = f"What was agreed to could not be used: {error}"
            await session.tell(Notice("trust_failed", sentence, severity="error"))

    async def agree(self, documents: Sequence[Document]) -> bool:
        """Ask whether these are trusted, if there are any, and keep a yes.

        Raises:
            RecordInvalid, AgentUntrusted, Unavailable: the yes cannot be kept.

        """
        if not documents or await self._session.ask_person(self._question(documents)) != "trust":
            return False
        await self._session.desk.trust(documents)
        return True

    def _question(self, documents: Sequence[Document]) -> Frame:
        folders = printable(" and ".join(sorted({document.folder for document in documents})))
        starts = [start for document in documents for start in document.starts]
        title = f"Trust the folder {folders}? It wants: {'; '.join(starts)}"
        content = [{"type": "content", "content": {"type": "text", "text": "\n".join(f"- {one}" for one in starts)}}]
        call = {"toolCallId": TRUST, "title": title, "kind": "other", "status": "pending", "content": content}
        params = {"sessionId": self._session.agent_session, "toolCall": call, "options": _OPTIONS}
        return Frame.of("session/request_permission", params, id=0)
