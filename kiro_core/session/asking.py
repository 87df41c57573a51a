"""One question while it is open: every controller is asked, also who comes later, and the first valid answer counts."""

from __future__ import annotations

import logging
from typing import Final, NamedTuple

import anyio
from anyio.abc import TaskGroup

from kiro_core.errors import Disconnected, unwrapped
from kiro_core.frames import Frame
from kiro_core.lazily import LazyEvent
from kiro_core.session.answering import Asked
from kiro_core.session.clients import OBSERVER, Clients, Member
from kiro_core.types import Notice

_LOG = logging.getLogger(__name__)
_GONE = "client gone"
CLIENT = "client"
"""Who gave an answer, for the record."""


class Reply(NamedTuple):
    """What a question got for an answer: who gave it is `by`, in words, and the `member`, if it was one."""

    response: Frame
    by: str
    member: Member | None = None


class Asking:
    """Asks the controllers of a session; those who are still asked when one has answered are told.

    The question may come from a session below: `about` are the clients of that one, some of whom are asked.
    """

    def __init__(  # noqa: PLR0913 - what a question is made of
        self, clients: Clients, about: Clients, shown: Frame, kind: Asked, needed: str, *, waits: bool
    ) -> None:
        """Ask nobody yet; with `waits` it stays open when nobody is left who could answer."""
        self.refusal: Final = kind.refusal(shown)
        self._clients = clients
        self._about = about
        self._shown = shown
        self._kind = kind
        self._needed = needed
        call = shown.params.get("toolCall")
        self._title = str(call.get("title") if isinstance(call, dict) else shown.params.get("message"))
        self._waits = waits
        self._asked: dict[Member, str] = {}
        self._reply: Reply | None = None
        self._news = LazyEvent()

    async def reply(self) -> Reply:
        """Ask, and wait for the answer; who has not given it is told `$/cancel_request`, who only watches a notice."""
        for member in self._clients.members:
            if member.role == OBSERVER:
                member.put(0, [Notice("question_asked", f"The agent asks: {self._title}", severity="info")])
        with unwrapped():
            async with anyio.create_task_group() as tasks:
                while self._reply is None:
                    self._ask_all(tasks)
                    if (given_up := self._given_up()) is not None:
                        self._reply = given_up
                        break
                    await self._change()
                tasks.cancel_scope.cancel()
        return self._reply or Reply(self.refusal, "nobody to ask")

    def tell_others(self, reply: Reply) -> None:
        """Tell the others who were asked that one has answered: not every client understands a cancelled request."""
        others = [member for member in self._asked if member is not reply.member and not member.left.is_set()]
        if reply.member is None or not others:
            return
        name = reply.member.client.info.name or "another client"
        notice = Notice("question_answered", f"{name} answered: {self._title}", severity="info")
        for member in others:
            member.put(0, [notice])

    def _ask_all(self, tasks: TaskGroup) -> None:
        for member in self._clients.controllers:
            if member not in self._asked and (not self._needed or self._needed in member.client.info.abilities):
                self._asked[member] = ""
                tasks.start_soon(self._ask, member)

    def _given_up(self) -> Reply | None:
        """The end of a question to which nobody who is here can give an answer."""
        here = [member for member in self._clients.controllers if self._asked.get(member) != _GONE]
        if any(self._asked.get(member) == "" for member in here) or (not here and self._waits):
            return None
        last = next(reversed(self._asked), None)
        return Reply(self.refusal, (self._asked[last] or _GONE) if last is not None else "nobody to ask")

    async def _ask(self, member: Member) -> None:
        said = _GONE
        async with anyio.create_task_group() as either:
            either.start_soon(_until, member.left, either.cancel_scope)
            said = await self._answer(member)
            either.cancel_scope.cancel()
        self._asked[member] = said
        self._news.set()

    async def _answer(self, member: Member) -> str:
        """What became of asking one client, in words."""
        try:
            await member.flushed()
            if (below := self._about.of(member.client)) is not None:
                await below.flushed()  # what the question is about is shown before it
            response = await member.client.request(self._shown)
        except Disconnected:
            return _GONE
        except Exception:  # noqa: BLE001 - a client is a boundary: its failure answers nothing, and others may answer
            _LOG.exception("session %s: a client failed when it was asked", self._clients.id)
            return "nobody to ask"
        if self._kind.is_answer(self._shown, response):
            self._reply = self._reply or Reply(response, CLIENT, member)
        return "nobody to ask" if response.failed else "no valid answer"

    async def _change(self) -> None:
        """Wait until somebody has answered, or has come or gone."""
        if self._news.is_set():
            self._news = LazyEvent()
            return
        async with anyio.create_task_group() as either:
            either.start_soon(_until, self._clients.changed, either.cancel_scope)
            await self._news.wait()
            either.cancel_scope.cancel()


async def _until(event: anyio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
