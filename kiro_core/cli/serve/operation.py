"""One run of a served desk: from its first face to the end of its last session, as its operator wants it."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import anyio

from kiro_core.cli.failing import DONE
from kiro_core.cli.known import require_known_engine
from kiro_core.cli.options import Given
from kiro_core.cli.serve.faces import Faces
from kiro_core.cli.serve.systemd import ServiceManager
from kiro_core.dispatcher import Dispatcher
from kiro_core.errors import KiroError, SessionClosing
from kiro_core.inherited import left_inherited
from kiro_core.journal import utc_now
from kiro_core.settings import load_settings

_LOG = logging.getLogger(__name__)
_MARGIN_S = 5.0
"""What the end may take besides its limits."""


class Operation:
    """Implements `ControlVerbs`; signals ask the same. `exit_code` is that of the command when `run` has returned."""

    def __init__(self, given: Given, manager: ServiceManager, announce: Callable[[str], None]) -> None:
        """Read settings again as `given` says; `announce` is called once, with a line that says who serves where."""
        self.exit_code: int = DONE
        self._given = given
        self._manager = manager
        self._announce = announce
        self._opening = anyio.CancelScope()
        self._starting = anyio.CancelScope()
        self._patience = anyio.CancelScope()
        self._asked = anyio.Event()
        self._began_at_terminal = _has_terminal()
        self._desk: Dispatcher | None = None
        self._last_reload: dict[str, Any] | None = None

    async def serve(
        self, opening: AbstractAsyncContextManager[Dispatcher], faces: Callable[[Dispatcher], Faces], place: str
    ) -> None:
        """Open a desk and `run` it; one that is not open yet when the end is asked for is given up.

        Raises:
            KiroError: see `open_desk` and `run`.

        """
        with self._opening:
            async with opening as desk:
                await self.run(desk, faces(desk), place)

    async def run(self, desk: Dispatcher, faces: Faces, place: str) -> None:
        """Serve `desk`, which is reached at `place`, and `faces`; return when it has ended in order.

        Raises:
            SettingsError: a face cannot begin.
            UnknownName: no engine has the name that the settings choose.

        """
        self._desk = desk
        require_known_engine(desk)
        desk.reception.unready = faces.not_ready
        desk.reception.operated = lambda: {"faces": faces.told(), "reloaded": self._last_reload}
        async with anyio.create_task_group() as serving:
            with self._starting:
                await faces.begin(serving)
                self._begun(desk, faces, place)
            await self._asked.wait()
            await self._drain(desk)
            serving.cancel_scope.cancel()

    async def signalled(self, number: signal.Signals) -> None:
        """End, and at once when asked again; SIGHUP reads the settings again, unless our terminal is gone with it."""
        if number == signal.SIGHUP and not (self._began_at_terminal and not _has_terminal()):
            with suppress(KiroError):  # which is in the log and in the status
                await self.reload()
        elif self._asked.is_set():
            self.exit_code = 128 + number
            self._patience.cancel()
        else:
            self._end()

    async def stop(self) -> Mapping[str, Any]:
        """See `ControlVerbs.stop`: `{turns, drain_s, shutdown_s}`, how many run and how long the end may take."""
        self._end()
        desk = self._opened()
        limits = desk.settings.limits
        return {"turns": _running(desk), "drain_s": limits.drain_s, "shutdown_s": limits.shutdown_s}

    async def reload(self) -> Mapping[str, Any]:
        """See `ControlVerbs.reload`: `{at, report, changed, kept}`, a time, a sentence, and keys.

        Raises:
            SettingsError: they are wrong, and nothing has changed.

        """
        desk = self._opened()
        ready = desk.reception.state == "ready"
        if ready:
            self._manager.reloading()
        told: dict[str, Any] = {"at": utc_now(), "report": "Nothing has changed.", "changed": [], "kept": []}
        try:
            report = desk.reload(load_settings(self._given.changes, config=self._given.config))
            told |= {"report": str(report), "changed": list(report.changed), "kept": list(report.kept)}
            _LOG.info("the settings were read again. %s", report)
        except KiroError as error:
            told["report"] = f"Nothing has changed: {error}"
            _LOG.error("the settings could not be read again. %s", told["report"])
            raise
        finally:
            self._last_reload = told
            if ready:
                self._manager.ready(told["report"])
        return told

    def _opened(self) -> Dispatcher:
        if self._desk is None:
            raise SessionClosing("The desk is not open yet.", hint="Ask again in a moment.")
        return self._desk

    def _begun(self, desk: Dispatcher, faces: Faces, place: str) -> None:
        desk.reception.state = "ready"
        for name in left_inherited():
            _LOG.warning("nothing serves the socket %r that was handed over; name it in the setting serve", name)
        served = ", ".join(str(served) for served in faces.all)
        line = f"The desk serves as pid {os.getpid()} at {place}{f', and {served}' if served else ''}."
        self._announce(line)
        self._manager.ready(line)

    def _end(self) -> None:
        self._asked.set()
        self._starting.cancel()
        if self._desk is None:
            _LOG.info("the desk is not opened: it was asked to end")
            self._opening.cancel()

    async def _drain(self, desk: Dispatcher) -> None:
        limits = desk.settings.limits
        line = f"The desk ends. Turns that run: {_running(desk)}; they have {limits.drain_s:g} s."
        _LOG.info("%s Another signal ends it at once.", line)
        self._manager.stopping(line, limits.drain_s + limits.shutdown_s + _MARGIN_S)
        with self._patience:
            await desk.drain(limits.drain_s)


def _running(desk: Dispatcher) -> int:
    return sum(session["turn"] for session in desk.status()["sessions"])


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
