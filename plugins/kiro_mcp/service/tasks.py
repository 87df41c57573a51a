"""A task is a turn: what became of it is read from the record, so that it survives this server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from secrets import token_hex

from kiro_core.types import SessionId
from kiro_mcp.service.access import Access
from kiro_mcp.service.choosing import Choosing
from kiro_mcp.service.failing import ToolFailure, in_our_words
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.known import Known, Task
from kiro_mcp.service.listing import Listing
from kiro_mcp.service.live import Live
from kiro_mcp.service.looking import Looking
from kiro_mcp.service.questions import Questions
from kiro_mcp.service.reading import NONE, whole_text
from kiro_mcp.service.turns import Turns
from kiro_mcp.service.views import TaskView


class Tasks:
    """The turns that hosts have asked for; a `task_id` is `SESSION_ID:KEY`."""

    def __init__(self, ground: Ground, access: Access, choosing: Choosing, questions: Questions) -> None:
        """Have turns, and look at them."""
        self._desk = ground.desk
        self._table = ground.table
        self._access = access
        self._choosing = choosing
        self._known = Known(ground.options.max_tasks)
        self._turns = Turns(ground, access, self._known)
        self._looking = Looking(ground, questions)
        self._listing = Listing(ground, access, self._known, self._looking)

    async def start(self, host: Host, message: str, session_id: str = "") -> TaskView:
        """Have a turn; returns once it is accepted. Who is cancelled meanwhile takes it back.

        Raises:
            ToolFailure: INVALID_MESSAGE, SESSION_BUSY, SERVER_OVERLOADED, and as `Choosing.live`.

        """
        if not message.strip():
            raise ToolFailure("INVALID_MESSAGE", "The message is blank.", hint="Write what the agent is to do.")
        live = await self.session(host, session_id)
        try:
            return await self.begin(live, message)
        except ToolFailure as failure:
            if session_id or failure.code != "SESSION_INACTIVE" or self._table.lives.get(live.id) is live:
                raise
        # It ended just now, and nobody had noticed: nothing was sent.
        return await self.begin(await self.session(host), message)

    async def session(self, host: Host, session_id: str = "") -> Live:
        """The session for a task; none is begun where no more tasks are allowed.

        Raises:
            ToolFailure: SERVER_OVERLOADED, and as `Choosing.live`.

        """
        with self._known.room():
            return await self._choosing.live(host, session_id)

    async def begin(self, live: Live, message: str) -> TaskView:
        """The same in a session that was found already.

        Raises:
            ToolFailure: SESSION_BUSY, SERVER_OVERLOADED, SESSION_INACTIVE.

        """
        task = await self._turns.begin(live, message, token_hex(12))
        return self._looking.known(task)  # without a wait: who is cancelled now knows its id

    async def follow(  # noqa: PLR0913 - how long to wait for what, all by name
        self,
        host: Host,
        task_id: str,
        from_chunk_index: int = 0,
        wait_s: float = 0.0,
        *,
        gather_s: float = 0.0,
        whole: bool = False,
    ) -> TaskView:
        """How a task stands, as soon as there is a chunk from that index on, a question, or its end; `wait_s` at most.

        A tool call that begins or ends meanwhile counts too. Both are gathered for `gather_s` seconds: reading them one
        by one costs far more. Cancelling this leaves the task alone. With `whole` a task that is done has its `text`.

        Raises:
            ToolFailure: SESSION_NOT_FOUND for a task that nobody knows, or that the host does not see.

        """
        task = await self._listing.one(host, task_id)
        with self._reading(task):
            view = self._asked(await self._looking.look(task, max(0, from_chunk_index), wait_s, gather_s))
            if not whole or not view.is_done:
                return view
            return replace(view, text=await whole_text(self._desk, task.session, task.progress))

    async def answer(self, host: Host, task_id: str) -> str:
        """The whole text that was answered, as far as it came.

        Raises:
            ToolFailure: SESSION_NOT_FOUND.

        """
        task = await self._listing.one(host, task_id)
        with self._reading(task):
            return await whole_text(self._desk, task.session, task.progress)

    async def cancel(self, host: Host, task_id: str) -> bool:
        """Cancel a task and no other; False when it had ended. It settles a moment later.

        Raises:
            ToolFailure: SESSION_NOT_FOUND; SESSION_INACTIVE for one that was begun by another run of this server.

        """
        task = await self._listing.one(host, task_id)
        with self._reading(task):
            if (await self._looking.look(task, NONE)).is_done:
                return False
            if task.turn is not None:
                await self._turns.cancel(task)
                return True
        raise ToolFailure(
            "SESSION_INACTIVE",
            "The task was begun before this server, which cannot cancel it alone.",
            hint="End its session with kiro_session_end.",
            details={"session_id": task.session, "task_id": task_id},
        )

    async def listed(self, host: Host, session_id: str = "", *, include_done: bool = False) -> Sequence[TaskView]:
        """The tasks of one session or of all that the host sees, without chunks and texts, oldest first.

        Also those that an earlier run of this server began; of those that are done, the newest hundred.

        Raises:
            ToolFailure: SESSION_NOT_FOUND.

        """
        if session_id:
            sessions = [await self._access.readable(host, session_id)]
        else:
            sessions = [SessionId(live.id) for live in self._table.seen_by(host)]
        views = await self._listing.tasks(sessions, include_done=include_done)
        return [self._asked(view) for view in views]

    def _asked(self, view: TaskView) -> TaskView:
        """The same, with what this server knows besides: whether somebody has cancelled it."""
        task = self._known.get(view.id)
        return replace(view, cancel_requested=task is not None and task.cancelled and not view.is_done)

    @contextmanager
    def _reading(self, task: Task) -> Iterator[None]:
        live = self._table.lives.get(task.session)
        with live.used() if live is not None else nullcontext(), in_our_words():
            yield
