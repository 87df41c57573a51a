"""Whoever is at the other end of a local socket must be the same user: the kernel says who that is."""

from __future__ import annotations

import os
import socket
import struct
import sys

_LOCAL_PEERCRED = 1
_XUCRED = struct.Struct("=II")
"""How `struct xucred` begins: `cr_version`, `cr_uid` (macOS, sys/ucred.h)."""
_UCRED = struct.Struct("=iII")
"""`struct ucred`: `pid`, `uid`, `gid` (unix(7), SO_PEERCRED)."""


def is_ours(connection: socket.socket, *, or_root: bool = False) -> bool:
    """Whether the process at the other end runs as this process's user; False where the kernel does not say.

    Of a listener the kernel says who began to listen: `or_root` is for a service manager that did so for a desk.
    """
    try:
        return _user(connection) in {os.geteuid(), *([0] if or_root else [])}
    except (OSError, struct.error):
        return False


def _user(connection: socket.socket) -> int:
    if sys.platform == "linux":
        _, user, _ = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    else:
        _, user = _XUCRED.unpack_from(connection.getsockopt(0, _LOCAL_PEERCRED, 256))
    return int(user)
