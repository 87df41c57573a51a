"""What other processes ask of the desk itself, and not of one of its sessions' agents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

from kiro_core.control import methods
from kiro_core.control.front import ControlVerbs, Front
from kiro_core.errors import RpcError
from kiro_core.frames import Frame
from kiro_core.rpc import INVALID_PARAMS, Peer
from kiro_core.types import SessionId

Verb = Callable[[Frame], Awaitable[Mapping[str, Any]]]
"""It takes a request and returns the result of its response."""


def own_verbs(front: Front, verbs: ControlVerbs | None, peer: Peer) -> Mapping[str, Verb]:
    """The methods of `kiro_core.control.methods` by their names, for whoever is at the other end of `peer`."""

    async def status(_: Frame) -> Mapping[str, Any]:
        return front.status()

    async def release(frame: Frame) -> Mapping[str, Any]:
        await front.let_go(_session(frame), force=frame.params.get("force") is True)
        return {}

    async def relabel(frame: Frame) -> Mapping[str, Any]:
        changes = {name: frame.params.get(name) for name in ("title", "name", "tags")}
        return asdict(await front.relabel(_session(frame), **changes))

    async def delete(frame: Frame) -> Mapping[str, Any]:
        await front.delete(_session(frame))
        return {}

    async def wake(frame: Frame) -> Mapping[str, Any]:
        front.wake(_session(frame))
        return {}

    async def watch(frame: Frame) -> Mapping[str, Any]:
        session, after = _session(frame), frame.params.get("after")
        async with aclosing(front.follow(session, after if isinstance(after, int) else 0)) as batches:
            async for records in batches:
                await peer.send([methods.records_frame(session, records)])
        return {}

    own: dict[str, Verb] = {
        methods.STATUS: status,
        methods.RELEASE: release,
        methods.RELABEL: relabel,
        methods.DELETE: delete,
        methods.WAKE: wake,
        methods.WATCH: watch,
    }
    if verbs is not None:
        stop, reload = verbs.stop, verbs.reload
        own |= {methods.STOP: lambda _: stop(), methods.RELOAD: lambda _: reload()}
    return own


def _session(frame: Frame) -> SessionId:
    if not frame.session:
        raise RpcError(INVALID_PARAMS, f"{frame.method} needs a sessionId.")
    return SessionId(frame.session)
