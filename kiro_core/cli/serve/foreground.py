"""The desk that is served: it opens, says so to whoever started it, and ends in order when it is asked to."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from socket import socket

import anyio

from kiro_core.cli.logs import begin_dated_lines
from kiro_core.cli.options import Given, collect_garbage
from kiro_core.cli.serve.faces import Faces
from kiro_core.cli.serve.operation import Operation
from kiro_core.cli.serve.systemd import ServiceManager
from kiro_core.cli.signals import follow_signals
from kiro_core.cli.text import show
from kiro_core.control import Served, claim_served
from kiro_core.dispatcher import Wishes, opened_desk
from kiro_core.errors import SettingsError, unwrapped
from kiro_core.inherited import claim_inherited, take_inherited

_LOG = logging.getLogger(__name__)
_LATER = (
    *("agentconfig.format", "agentconfig.checking", "archive", "crew.document", "crew.kiro", "crew.reporting"),
    *("crew.rolling", "crew.delivering", "crew.running", "crew.record", "crew.stages"),
)
_DESK = "desk"
"""What a service manager calls the socket of the desk itself; any other name is one of the setting `serve`."""


async def serve_desk(given: Given, agent: str, engine: str, ready_fd: int | None) -> int:
    """Serve until somebody asks it to end; the exit code.

    With `ready_fd` nobody looks at stdout: what is told there goes to that descriptor, once, and lines
    of the log have a time.

    Raises:
        SettingsError, UnknownName, PluginError: something that the settings name cannot be opened.
        Held: another desk serves these sessions.
        Unavailable: nobody can listen where clients look for the desk.

    """
    logging.getLogger("kiro_core.cli.serve").setLevel(logging.INFO)
    manager = ServiceManager()
    claim_inherited()
    settings, registry = given.load()
    _import_all()
    collect_garbage()
    operation = Operation(given, manager, _announcing(ready_fd))
    with unwrapped(), claim_served(settings, registry) as path:
        served = Served(path, operation, _handed_over(path))
        async with anyio.create_task_group() as tasks:
            await tasks.start(follow_signals, operation.signalled)
            tasks.start_soon(manager.keep_alive)
            opening = opened_desk(settings, registry, Wishes(agent, engine, "serve", served=served))
            faces = partial(
                Faces, transports=registry.transports, choices=settings.serve, within=settings.limits.backends
            )
            await operation.serve(opening, faces, str(path))
            tasks.cancel_scope.cancel()
    return operation.exit_code


def _import_all() -> None:
    """Import also what is first used later: a desk that stays is of one version, and no session waits for imports."""
    for name in _LATER:
        import_module(f"kiro_core.{name}")


def _announcing(ready_fd: int | None) -> Callable[[str], None]:
    """Where the line belongs that says that we are ready."""
    if ready_fd is None:
        return lambda line: show(f"{line}\n")
    begin_dated_lines()

    def announce(line: str) -> None:
        _LOG.info(line)
        with os.fdopen(ready_fd, "w") as waiting, suppress(BrokenPipeError):
            waiting.write(line)

    return announce


def _handed_over(path: Path) -> socket | None:
    """The desk's own socket, where a service manager has opened it.

    Raises:
        SettingsError: nobody would find it.

    """
    handed = take_inherited(_DESK)
    if handed is None or Path(handed.getsockname()).resolve() == path.resolve():
        return handed
    raise SettingsError(
        f"The socket {_DESK!r} that was handed over is at {handed.getsockname()}, and clients look for it at {path}.",
        hint=f"Write ListenStream={path} in its systemd unit.",
    )
