"""The first moment with another desk: whoever listens at a path may be nobody, a stranger, or something else."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from kiro_core.control import methods
from kiro_core.control.places import connect
from kiro_core.control.users import is_ours
from kiro_core.errors import Disconnected, RpcError
from kiro_core.frames import Frame
from kiro_core.rpc import Peer, result
from kiro_core.stdio import PipeStream
from kiro_core.types import PeerInfo
from kiro_core.version import __version__

HELLO_S = 5.0
_GONE = "Its process may have ended; open the session again."
STUCK = "Its process may be stopped, or too busy; see what it does."


def as_stream(connection: socket.socket) -> PipeStream:
    """The connection as a byte stream, which owns it."""
    other = os.dup(connection.fileno())
    return PipeStream(connection.detach(), other)


def connected(path: Path) -> PipeStream:
    """A connection to the desk that listens there.

    Raises:
        Disconnected: nobody does, or another user.

    """
    try:
        connection = connect(path)
    except OSError as error:
        raise Disconnected(f"No desk listens at {path}: {error.strerror or error}.", hint=_GONE) from error
    if not is_ours(connection, or_root=True):
        connection.close()
        raise Disconnected(f"Whoever listens at {path} is another user, and no desk of yours.", hint=_GONE)
    return as_stream(connection)


async def introduced(peer: Peer, info: PeerInfo, path: Path, limit_s: float) -> Mapping[str, Any]:
    """Introduce our client, and return what the desk says of itself within `limit_s` seconds.

    Raises:
        Disconnected: it is no desk, or none that we understand, or does not answer in time.

    """
    client = {"name": info.name, "version": info.version, "abilities": sorted(info.abilities), "raw": info.raw}
    ours = {"protocol": methods.PROTOCOL, "version": __version__, "client": client}
    try:
        with anyio.move_on_after(limit_s):
            hello = result(await peer.call(Frame.of(methods.HELLO, ours, id=0)), "It refused us")
            if hello.get("protocol") == methods.PROTOCOL:
                return hello
            raise Disconnected(f"Whoever listens at {path} is no desk of this version.", hint=_GONE)
    except RpcError as error:
        raise Disconnected(f"Whoever listens at {path} is no desk: {error}", hint=_GONE) from error
    raise Disconnected(f"The desk at {path} did not answer within {limit_s:g} s.", hint=STUCK)
