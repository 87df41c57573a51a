"""Run an agent's commands through the launcher where the client offers no terminals."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import uuid4

import anyio
from anyio.abc import TaskGroup, TaskStatus

from kiro_core.errors import LaunchFailed
from kiro_core.frames import Frame
from kiro_core.policy import ToolUse
from kiro_core.session.services import params
from kiro_core.session.services.commands import command_of, running
from kiro_core.session.services.consent import Consent
from kiro_core.session.services.embedded import Embedded
from kiro_core.session.services.ending import record_end, recordable
from kiro_core.session.services.served import Served, failed
from kiro_core.session.services.terminal import Terminal

MAX_TERMINALS = 32
"""How many an agent may have at once."""

DEFAULT_BYTES = 1024 * 1024
MAX_BYTES = 8 * 1024 * 1024
"""How much of an output is kept when the agent does not say, and however much it wants."""

_LOG = logging.getLogger(__name__)


class OwnTerminals:
    """The terminals of one session; a released one is remembered by the end of its output."""

    def __init__(self, session: Served, consent: Consent, tasks: TaskGroup) -> None:
        """Run each in a task of its own in `tasks`."""
        self._session = session
        self._consent = consent
        self._tasks = tasks
        self._open: dict[str, Terminal] = {}
        self._texts: dict[str, str] = {}
        self._verbs: dict[str, Callable[[str, Terminal], Awaitable[Any]]] = {
            "terminal/output": self._output,
            "terminal/wait_for_exit": self._wait_for_exit,
            "terminal/kill": self._kill,
            "terminal/release": self._release,
        }
        self.embedded: Final = Embedded(self._text_of)

    @property
    def any_ever(self) -> bool:
        """Whether there may be one in what the client is shown."""
        return bool(self._open or self._texts)

    @property
    def any_open(self) -> bool:
        """Whether one is not released."""
        return bool(self._open)

    def __contains__(self, name: str) -> bool:
        """Whether it is one of these, and not released."""
        return name in self._open

    async def create(self, frame: Frame) -> Frame:
        """`terminal/create`: `{command, args?, env?, cwd?, outputByteLimit?}` -> `{terminalId}`; no shell."""
        command, limit = command_of(self._session, frame.params), params.count(frame.params, "outputByteLimit")
        call = await self._consent.ask(running(command))
        if len(self._open) >= MAX_TERMINALS:
            raise failed(f"{MAX_TERMINALS} terminals are open already; release one.")
        name = f"kiro-core-{uuid4()}"
        terminal = Terminal(command, DEFAULT_BYTES if limit is None else min(limit, MAX_BYTES), call)
        self._open[name] = terminal
        try:
            await self._start(name, terminal)
        finally:
            if not terminal.began:
                del self._open[name]
                await self._consent.settle(call, done=False)
        return Frame.answer({"terminalId": name})

    async def ask(self, name: str, frame: Frame) -> Frame:
        """Answer any other `terminal/*` about a terminal that is here."""
        return Frame.answer(await self._verbs[frame.method or ""](name, self._open[name]))

    async def close(self) -> None:
        """Release all of them."""
        terminals = [terminal for terminal in self._open.values() if terminal.began]
        for terminal in terminals:
            terminal.released.set()
            terminal.kill()
        for terminal in terminals:
            await terminal.gone.wait()

    async def _start(self, name: str, terminal: Terminal) -> None:
        limit = self._session.tools.limits.start_s
        try:
            with anyio.move_on_after(limit):
                await self._tasks.start(self._live, name, terminal)
                return
        except LaunchFailed as error:
            raise failed(str(error)) from error
        raise failed(f"The command did not start within {limit:g} s.")

    async def _live(self, name: str, terminal: Terminal, *, task_status: TaskStatus[None]) -> None:
        try:
            await self._run(name, terminal, task_status)
            await self._session.show(self.embedded.again(name))
            command, done = terminal.command, (terminal.exit_status or {}).get("exitCode") == 0
            use = ToolUse.running(command.argv[0], command.argv[1:], command.env)
            await self._consent.settle(terminal.call, done=done, use=use)
            await terminal.released.wait()
        finally:
            if terminal.began:
                await self._forget(name, terminal)

    async def _run(self, name: str, terminal: Terminal, task_status: TaskStatus[None]) -> None:
        try:
            await terminal.run(self._session.tools.launcher, task_status)
        except Exception:  # a launcher is a boundary: what fails in it ends no session
            if not terminal.began:
                raise
            _LOG.exception("terminal %s: its launcher failed", name)

    async def _forget(self, name: str, terminal: Terminal) -> None:
        text, truncated = recordable(self._session, terminal.output)
        await record_end(self._session, name, text, terminal.exit_status, truncated=truncated)
        del self._open[name]
        self._texts[name] = text
        if len(self._texts) > MAX_TERMINALS:
            del self._texts[next(iter(self._texts))]
        terminal.gone.set()

    async def _output(self, _: str, terminal: Terminal) -> dict[str, Any]:
        text, truncated = terminal.output.end()
        ended = terminal.exit_status
        return {"output": text, "truncated": truncated, **({} if ended is None else {"exitStatus": ended})}

    async def _wait_for_exit(self, _: str, terminal: Terminal) -> dict[str, Any] | None:
        await terminal.ended.wait()
        return terminal.exit_status

    async def _kill(self, name: str, terminal: Terminal) -> dict[str, Any]:
        terminal.kill()
        await self._until(terminal.ended, name)
        return {}

    async def _release(self, name: str, terminal: Terminal) -> dict[str, Any]:
        terminal.released.set()
        terminal.kill()
        await self._until(terminal.gone, name)
        return {}

    async def _until(self, event: anyio.Event, name: str) -> None:
        limit = self._session.tools.limits.control_s
        with anyio.move_on_after(limit):
            await event.wait()
            return
        raise failed(f"The command of the terminal {name} did not end within {limit:g} s.")

    def _text_of(self, name: str) -> str | None:
        terminal = self._open.get(name)
        return self._texts.get(name) if terminal is None else recordable(self._session, terminal.output)[0]
