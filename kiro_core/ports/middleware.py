"""What stands between a session and its agent program, so that what passes can be seen, kept out or rewritten."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

from kiro_core.ports.talking import Agent, Client

if TYPE_CHECKING:
    from kiro_core.types import SessionInfo


class Layer(Protocol):
    """What a middleware does in one session.

    It may raise `Vetoed` to keep something out. Whatever else it raises, unless it came out of what it was given, and
    whatever takes longer than `limits.middleware_s` of its own time, fails it in this session and in no other.
    """

    def agent(self, agent: Agent) -> Agent:
        """Wrap what the desk asks of the agent program, and its answers; called for each start of the program.

        A veto of a prompt ends its turn as refused; a failure in any verb fails that request.
        """
        ...

    def client(self, client: Client) -> Client:
        """Wrap what the agent program says and asks, before any of it is judged, recorded or shown.

        Called for each start of the program. A veto in `notify` keeps out what of that batch was not passed on; one in
        `request`, or a failure there, refuses the question. A failure in `notify` ends the session.
        """
        ...

    def record(self, value: Any) -> Any:
        """Give a JSON value as it may be recorded and shown: what the desk itself is about to write or to tell.

        These are prompts as they are recorded, questions, notices, output of terminals, answers, titles and letters;
        not the updates that have passed `client`. It is pure and does not wait. The same value has the same result in
        every process, and that result has itself as result. Its shape is that of the value: the same keys, as many
        elements, values of the same kinds. Failing ends the session.
        """
        ...


class Middleware(Protocol):
    """Sees and may change what passes between sessions and their agent programs."""

    def enter(self, session: SessionInfo) -> AbstractAsyncContextManager[Layer]:
        """Give the session a layer that lives as long as it is open; entered and left by one task.

        Entering and leaving have `limits.middleware_s` seconds each. Failing to enter keeps the session from opening;
        failing to leave is logged.
        """
        ...
