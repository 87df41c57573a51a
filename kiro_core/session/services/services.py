"""What an agent may ask of its client besides a permission, answered whatever that client offers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup

from kiro_core.errors import RpcError, unwrapped
from kiro_core.frames import Frame
from kiro_core.rpc import METHOD_NOT_FOUND
from kiro_core.session.services.consent import Consent
from kiro_core.session.services.elicitation import elicit
from kiro_core.session.services.file_requests import FileRequests
from kiro_core.session.services.own_terminals import OwnTerminals
from kiro_core.session.services.served import Served
from kiro_core.session.services.terminals import Terminals

METHODS = frozenset(
    {
        "elicitation/create",
        "fs/read_text_file",
        "fs/write_text_file",
        "terminal/create",
        "terminal/kill",
        "terminal/output",
        "terminal/release",
        "terminal/wait_for_exit",
    }
)
_CLOSE_S = 3.0


@asynccontextmanager
async def opened_services(session: Served) -> AsyncIterator[Services]:
    """Serve one agent of a session; leaving ends its terminals, within three seconds and the launcher's own bounds.

    Open them around the agent: its last requests are over then, and nobody is left to ask for more.
    """
    with unwrapped():
        async with anyio.create_task_group() as tasks:
            services = Services(session, tasks)
            try:
                yield services
            finally:
                with anyio.move_on_after(_CLOSE_S, shield=True):
                    await services.close()
                tasks.cancel_scope.cancel()


class Services:
    """Files, terminals and forms: of the client where it offers them, else of the desk, which asks the client first."""

    def __init__(self, session: Served, tasks: TaskGroup) -> None:
        """Run terminals in `tasks`; `opened_services` makes one and ends it."""
        self._session = session
        consent = Consent(session)
        files = FileRequests(session, consent)
        self._terminals = Terminals(session, OwnTerminals(session, consent, tasks), consent)
        self._served: dict[str, Callable[[Frame], Awaitable[Frame]]] = {
            **dict.fromkeys(METHODS, self._terminals.ask),
            "elicitation/create": partial(elicit, session),
            "fs/read_text_file": files.read,
            "fs/write_text_file": files.write,
            "terminal/create": self._terminals.create,
        }
        self._open = 0

    @property
    def busy(self) -> bool:
        """Whether the agent is waiting for one of them, and so has a reason to be silent."""
        return self._open > 0

    @property
    def any_terminal(self) -> bool:
        """Whether a terminal is open."""
        return self._terminals.any_open

    async def request(self, frame: Frame) -> Frame:
        """Answer one of `METHODS`.

        Raises:
            RpcError: it is none of them, its params are wrong, it was not allowed, or it could not be done.
            KiroError: the client is gone, or the record cannot be kept.

        """
        serve = self._served.get(frame.method or "")
        if serve is None:
            raise RpcError(METHOD_NOT_FOUND, f"The client does not offer {frame.method}.")
        self._open += 1
        try:
            return await serve(frame)
        finally:
            self._open -= 1
            self._session.clients.stir()

    def shown(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        """What the client is shown of the agent's updates: terminals of the desk as text of their output so far.

        When such a terminal ends, the client is shown its whole output once more.
        """
        own = self._terminals.own
        return own.embedded.shown(frames) if own.any_ever else frames

    def shown_again(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        """The same for updates that some clients have been shown already."""
        own = self._terminals.own
        return own.embedded.retold(frames) if own.any_ever else frames

    def shown_at_end(self, recorded: Any) -> Sequence[Frame]:
        """The updates that belong to the record `{terminalId, ...}` of a terminal's end."""
        name = recorded.get("terminalId") if isinstance(recorded, dict) else None
        return self._terminals.own.embedded.again(name) if isinstance(name, str) else ()

    async def close(self) -> None:
        """End all terminals, and record their output."""
        await self._terminals.close()
