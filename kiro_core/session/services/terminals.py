"""Serve `terminal/*`: a terminal belongs for its whole life to who created it, the client or the desk."""

from __future__ import annotations

from contextlib import suppress

import anyio

from kiro_core.errors import KiroError
from kiro_core.frames import Frame
from kiro_core.journal import Output
from kiro_core.ports import Client
from kiro_core.session.services import params
from kiro_core.session.services.commands import use_of
from kiro_core.session.services.consent import Consent
from kiro_core.session.services.ending import record_end, recordable
from kiro_core.session.services.own_terminals import OwnTerminals
from kiro_core.session.services.served import Served, client_for, forwarded, missing

_FAREWELL_S = 2.0


class Terminals:
    """Knows whose each terminal is; `own` are those of the desk."""

    def __init__(self, session: Served, own: OwnTerminals, consent: Consent) -> None:
        """Serve that session."""
        self.own = own
        self._consent = consent
        self._session = session
        self._clients: dict[str, Client] = {}

    @property
    def any_open(self) -> bool:
        """Whether the agent has one."""
        return bool(self._clients) or self.own.any_open

    async def create(self, frame: Frame) -> Frame:
        """Answer `terminal/create`."""
        client = client_for(self._session, "terminal")
        if client is None:
            return await self.own.create(frame)
        await self._consent.forwarded(use_of(frame.params))
        response = await forwarded(self._session, client, frame)
        name = response.result.get("terminalId")
        if isinstance(name, str):
            self._clients[name] = client
        return response

    async def ask(self, frame: Frame) -> Frame:
        """Answer any other `terminal/*`.

        Raises:
            RpcError: there is no such terminal, or its client is gone.

        """
        name = params.text(frame.params, "terminalId")
        if name in self.own:
            return await self.own.ask(name, frame)
        client = self._clients.get(name)
        if client is None:
            raise missing(f"There is no terminal {name}.")
        if self._session.clients.of(client) is None:
            raise missing(f"The terminal {name} was its client's, who is gone.")
        if frame.method == "terminal/wait_for_exit":
            return await client.request(self._session.for_client(frame))
        if frame.method == "terminal/release":
            await self._record(name, client)
            self._clients.pop(name, None)
        return await forwarded(self._session, client, frame)

    async def close(self) -> None:
        """End all of them, those of the client too, since nobody is left who could release them."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.own.close)
            while self._clients:
                tasks.start_soon(self._release, *self._clients.popitem())

    async def _release(self, name: str, client: Client) -> None:
        await self._record(name, client)
        with anyio.move_on_after(_FAREWELL_S), suppress(KiroError):
            await client.request(self._frame("terminal/release", name))

    async def _record(self, name: str, client: Client) -> None:
        response = None
        with anyio.move_on_after(_FAREWELL_S), suppress(KiroError):
            response = await client.request(self._frame("terminal/output", name))
        printed = response.result.get("output") if response is not None else None
        if response is None or not isinstance(printed, str):
            return
        raw = printed.encode()
        output = Output(len(raw))
        output.add(raw, final=True)
        text, cut = recordable(self._session, output)
        truncated = cut or response.result.get("truncated") is True
        await record_end(self._session, name, text, response.result.get("exitStatus"), truncated=truncated)

    def _frame(self, method: str, name: str) -> Frame:
        return Frame.of(method, {"sessionId": self._session.plan.info.id, "terminalId": name}, id=0)
