"""Sockets that were opened for us before we started: systemd's socket activation (sd_listen_fds(3)).

They are open before the desk is, so nobody who comes early is refused, and their places need no rights of ours.
"""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import MutableMapping

from kiro_core.errors import SettingsError

_FIRST = 3
"""Where they begin, by the protocol."""

_sockets: dict[str, socket.socket] = {}


def claim_inherited(environ: MutableMapping[str, str] = os.environ) -> None:
    """Take over what was handed to this very process; what it starts gets nothing of it.

    Raises:
        SettingsError: one is no socket that listens, or two have one name.

    """
    told = {variable: environ.pop(variable, "") for variable in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")}
    count = int(told["LISTEN_FDS"] or 0) if told["LISTEN_PID"] == str(os.getpid()) else 0
    names = [*filter(None, told["LISTEN_FDNAMES"].split(":")), *["unknown"] * count]
    for fd, name in zip(range(_FIRST, _FIRST + count), names, strict=False):
        fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        _keep(name, fd)


def take_inherited(name: str) -> socket.socket | None:
    """The socket of that name, once, non-blocking and the caller's to close; None when there is none."""
    return _sockets.pop(name, None)


def left_inherited() -> list[str]:
    """The names of those that nobody has taken."""
    return list(_sockets)


def _keep(name: str, fd: int) -> None:
    hint = f"Give each of them another FileDescriptorName=, and none of them Accept=yes; this one is called {name!r}."
    try:
        handed = socket.socket(fileno=fd)
        listens = handed.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise SettingsError(f"The descriptor {fd} that was handed over is no socket.", hint=hint) from error
    if not listens or name in _sockets:
        reason = "has the name of another one" if listens else "does not listen"
        raise SettingsError(f"The socket {name!r} that was handed over {reason}.", hint=hint)
    handed.settimeout(0)
    _sockets[name] = handed
