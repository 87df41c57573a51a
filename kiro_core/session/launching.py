"""The agent program of a session: started, recorded, and described when it ends."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from kiro_core.errors import (
    AgentGone,
    AgentTimeout,
    Disconnected,
    EndingFailed,
    KiroError,
    LaunchFailed,
    RpcError,
    unwrapped,
)
from kiro_core.explain import last_words
from kiro_core.ports import Agent, Process

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_LOG = logging.getLogger(__name__)
_LAST_WORDS_S = 1.0


class Launching:
    """One run of an agent program for a session after the other."""

    def __init__(self, session: Session) -> None:
        """Start nothing yet; `served` tells that the session was open with the present program."""
        self.served: bool = False
        self._session = session
        self._process: Process | None = None

    @asynccontextmanager
    async def launched(self) -> AsyncIterator[Agent]:
        """Start the program and introduce ourselves; leaving ends it and whatever it started, or notes what survives.

        Raises:
            LaunchFailed, AgentGone, AgentTimeout, RpcError: with the program's last words.

        """
        session, limits = self._session, self._session.tools.limits
        self.served, self._process = False, None
        try:
            # Backends may hold task groups, which wrap what passes through them.
            with unwrapped():
                async with (
                    session.tools.launcher.launch(session.plan.command) as self._process,
                    session.tools.wire.connect(
                        self._process,
                        session.layers.client(session.listener, session.listener.heard),
                        limits.start_s,
                    ) as connected,
                ):
                    agent = session.layers.agent(connected)
                    await session.journal.event("process_begun", self._begun(agent))
                    yield agent
        except Disconnected as error:
            raise await self.gone() from error
        except RpcError as error:
            if not session.journal.filters:
                raise
            raise self._filtered(error) from error
        except EndingFailed as error:
            session.survivors.failed.append(error)
        except AgentTimeout as error:
            error.details["stderr"], hint = self._last_words()
            error.hint = f"{error.hint} {hint}".strip()
            raise
        finally:
            with anyio.move_on_after(limits.close_s, shield=True):
                await self._record_end()

    async def gone(self) -> KiroError:
        """What to say of a program that ended by itself."""
        session, process = self._session, self._process
        program = f"The agent program {session.plan.program!r} of the engine '{session.plan.engine.name}'"
        if process is None:
            return LaunchFailed(f"{program} did not start.")
        with anyio.move_on_after(_LAST_WORDS_S, shield=True):
            await process.wait()
        status = "closed its output" if process.exit is None else f"ended with {process.exit}"
        words, hint = self._last_words()
        details = {"command": session.plan.program, "status": str(process.exit or "unknown"), "stderr": words}
        if self.served:
            return AgentGone(f"{program} {status}.", hint=hint, **details)
        return LaunchFailed(f"{program} {status} before it was ready.", hint=hint, **details)

    def _begun(self, agent: Agent) -> dict[str, str]:
        identity = self._process.identity if self._process is not None else ""
        return {"process": identity, "name": agent.info.name, "version": agent.info.version}

    async def _record_end(self) -> None:
        if self._process is None:
            return
        ended = {"status": str(self._process.exit or "unknown"), "stderr": self._process.stderr_tail()}
        try:
            await self._session.journal.event("process_ended", ended)
        except KiroError as error:
            _LOG.warning("session %s: its process's end is not recorded: %s", self._session.plan.info.id, error)

    def _filtered(self, error: RpcError) -> RpcError:
        """An agent program's own error: no middleware has seen the one that it gives when we introduce ourselves."""
        sentence, hint, data = self._session.journal.filtered([error.sentence, error.hint, error.data])
        return RpcError(error.number, sentence, hint=hint, data=data)

    def _last_words(self) -> tuple[str, str]:
        """The end of its stderr, and a hint that quotes the line which says most."""
        words = self._process.stderr_tail().strip() if self._process is not None else ""
        words = self._session.journal.filtered(words)
        return words, last_words(words)
