"""One connection from another process: it introduces itself, and has an agent of the desk from then on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import anyio

from kiro_core.control import methods
from kiro_core.control.crew_door import entered
from kiro_core.control.first_line import MOST_BYTES, begun
from kiro_core.control.front import ControlVerbs, Front
from kiro_core.control.meeting import HELLO_S
from kiro_core.control.own_verbs import own_verbs
from kiro_core.errors import RpcError, SessionClosing, SessionNotFound, unwrapped
from kiro_core.frames import Frame
from kiro_core.ports import Agent
from kiro_core.rpc import INVALID_PARAMS, Peer, RemoteClient, Stream, answer, speaking, told
from kiro_core.stdio import PipeStream
from kiro_core.types import PeerInfo, SessionId

_OUTCOME_S = 5.0
"""Until a turn that was taken back is answered, behind what it still shows; some agents take long to stop."""
_OPENING = frozenset({"session/load", "session/resume"})


async def receive(stream: PipeStream, front: Front, verbs: ControlVerbs | None) -> None:
    """Serve one connection until it ends, or is the concern of the session that it asks for.

    A stranger to the protocol has a few seconds and little room.
    """
    kept = True
    try:
        connection = await begun(stream, HELLO_S)
        kept = connection is None or not await entered(connection, front)
        if connection is not None and kept:
            visitor = Visitor(connection, front, verbs)
            with unwrapped():
                async with speaking(visitor.peer, visitor.heard.set):
                    await visitor.attended()
    finally:
        if kept:
            with anyio.CancelScope(shield=True):
                await stream.aclose()


class Visitor:
    """Implements a peer's `Handler`: what another process asks of the desk."""

    def __init__(self, stream: Stream, front: Front, verbs: ControlVerbs | None) -> None:
        """Speak over `stream`; `heard` is set when the visitor has introduced itself, or is gone."""
        self.heard: Final = anyio.Event()
        self.peer: Final = Peer(_Ungreeted(stream, self.heard), self)
        self._client = RemoteClient(self.peer)
        self._front = front
        self._known = False
        self._admitted = anyio.Event()
        self._agent: Agent | None = None
        self._own = own_verbs(front, verbs, self.peer)

    async def attended(self) -> None:
        """Wait for the introduction, and then until the visitor leaves."""
        with anyio.move_on_after(HELLO_S):
            await self.heard.wait()
        if not self._known:
            return
        async with self._front.admit(self._client) as self._agent:
            self._admitted.set()
            await self.peer.ended.wait()

    async def request(self, frame: Frame) -> Frame:
        """Answer one request."""
        method = frame.method or ""
        if method == methods.HELLO:
            return self._greeted(frame)
        if not self._known:
            raise RpcError(INVALID_PARAMS, f"{methods.HELLO} comes first.")
        if method in self._own:
            return Frame.answer(await self._own[method](frame))
        if method in _OPENING and not self._front.takes(SessionId(frame.session or "")):
            raise SessionNotFound(f"The session {frame.session} is not open here.", session_id=frame.session)
        # Without a wait where there is an agent: a cancel in the next line must find the prompt.
        return await answer(self._agent or await self._at_desk(), frame, self.peer.ended, outcome_s=_OUTCOME_S)

    async def notify(self, frames: Sequence[Frame]) -> None:
        """Take notifications; before the introduction there is nobody whom they could concern."""
        for frame in frames:
            if self._agent is not None and frame.fault is None:
                await told(self._agent, frame)

    async def _at_desk(self) -> Agent:
        await self._admitted.wait()
        if self._agent is None:
            raise SessionClosing("The desk is closed.")
        return self._agent

    def _greeted(self, frame: Frame) -> Frame:
        told = frame.params.get("client")
        about = told if isinstance(told, dict) else {}
        abilities, raw = about.get("abilities"), about.get("raw")
        named = frozenset(map(str, abilities)) if isinstance(abilities, list) else frozenset()
        self._client.info = PeerInfo(
            str(about.get("name", "")), str(about.get("version", "")), named, raw if isinstance(raw, dict) else {}
        )
        self._known = True
        self.heard.set()
        return Frame.answer({**self._front.hello(), "protocol": methods.PROTOCOL})


class _Ungreeted:
    """Implements `Stream`: whoever has not introduced itself cannot fill memory."""

    def __init__(self, stream: Stream, greeted: anyio.Event) -> None:
        self._stream = stream
        self._greeted = greeted
        self._heard = 0
        self.send = stream.send

    async def receive(self, max_bytes: int = 65536) -> bytes:
        chunk = await self._stream.receive(max_bytes)
        if not self._greeted.is_set():
            self._heard += len(chunk)
            if self._heard > MOST_BYTES:
                raise anyio.EndOfStream
        return chunk
