"""One client's agent: its sessions are here, in the served desk, or in whichever desk of this user holds them."""

from __future__ import annotations

from typing import Final

from kiro_core.dispatcher.connection import TERMINATE, Connection
from kiro_core.dispatcher.homes import Homes
from kiro_core.errors import Disconnected
from kiro_core.frames import Frame
from kiro_core.ports import Agent, Turn


class Routed:
    """Implements `Agent` for one attached client."""

    def __init__(self, local: Connection, homes: Homes) -> None:
        """Ask `local` for sessions of this desk and `homes` for all others."""
        self.info: Final = local.info
        self._local = local
        self._homes = homes

    async def new(self, frame: Frame) -> Frame:
        """See `Agent.new`: in the served desk, if one runs."""
        return await self._homes.begin(frame)

    async def open(self, frame: Frame, *, replay: bool) -> Frame:
        """See `Agent.open`: where the session is live, else in the served desk, else here."""
        return await self._homes.open(frame, replay=replay)

    async def prompt(self, frame: Frame) -> Turn:
        """See `Agent.prompt`; a session whose desk has ended is opened again first."""
        other = await self._homes.of(frame)
        if other is None:
            return await self._local.prompt(frame)
        try:
            return await other.prompt(frame)
        except Disconnected:
            # It has ended just now, and cannot have taken the prompt: nobody read it.
            other = await self._homes.of(frame)
            return await (self._local if other is None else other).prompt(frame)

    async def cancel(self, frame: Frame) -> None:
        """See `Agent.cancel`; in a desk that has ended nothing runs."""
        await (await self._at(frame)).cancel(frame)

    async def close(self, frame: Frame) -> Frame:
        """See `Agent.close`."""
        answer = await (await self._at(frame)).close(frame)
        self._homes.forget(frame)
        return answer

    async def delete(self, frame: Frame) -> Frame:
        """See `Agent.delete`."""
        answer = await (await self._at(frame)).delete(frame)
        self._homes.forget(frame)
        return answer

    async def authenticate(self, frame: Frame) -> Frame:
        """See `Agent.authenticate`: where a login was wanted last."""
        return await self._homes.login_at.authenticate(frame)

    async def logout(self, frame: Frame) -> Frame:
        """See `Agent.logout`."""
        return await self._homes.login_at.logout(frame)

    async def list(self, frame: Frame) -> Frame:
        """See `Agent.list`."""
        return await self._local.list(frame)

    async def call(self, frame: Frame) -> Frame:
        """See `Agent.call`."""
        other = await self._homes.of(frame)
        agent = self._local if other is None else await other.agent()
        with self._homes.noting_login(agent):
            answer = await agent.call(frame)
        if frame.method in TERMINATE:
            self._homes.forget(frame)
        return answer

    async def notify(self, frame: Frame) -> None:
        """See `Agent.notify`."""
        await (await self._at(frame)).notify(frame)
        if frame.method in TERMINATE:
            self._homes.forget(frame)

    async def _at(self, frame: Frame) -> Agent:
        """Whoever has the session now, without opening it again: for what concerns only a session that is live."""
        return await self._homes.now(frame) or self._local
