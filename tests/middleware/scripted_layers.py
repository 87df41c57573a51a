"""Middlewares of a few lines each, given as what they do in a session, and a plugin that provides them by name."""

import sys
from contextlib import asynccontextmanager

from kiro_core import Frame, Provider, hookimpl
from kiro_core.ports import PassingAgent, PassingClient, PassingLayer, PassingTurn

REHEARSAL = [sys.executable, "-P", "-m", "kiro_core.rehearsal"]


class Plugin:
    """Provides each middleware under its name; `enter` is an async context manager function of a `SessionInfo`."""

    def __init__(self, **enters):
        self._enters = enters

    @hookimpl
    def kiro_middlewares(self):
        for name, enter in self._enters.items():
            yield Provider(name, _opened(_Middleware(enter)))


class _Middleware:
    def __init__(self, enter):
        self.enter = enter


def _opened(middleware):
    @asynccontextmanager
    async def opened(_):
        yield middleware

    return opened


def layers(make, only=""):
    """`enter` for a layer that `make(session)` gives; `only` in the session of that name, if one is given."""

    @asynccontextmanager
    async def enter(session):
        yield make(session) if only in ("", session.name) else PassingLayer()

    return enter


class Doing(PassingLayer):
    """A layer that does what it is given, each in place of passing on; a client's or agent's is called with that."""

    def __init__(self, notify=None, request=None, prompt=None, settled=None, record=None):
        self.notify, self.request, self.prompt, self.settled = notify, request, prompt, settled
        self.record = record or self.record

    def client(self, client):
        return _Client(client, self) if self.notify or self.request else client

    def agent(self, agent):
        return _Agent(agent, self) if self.prompt or self.settled else agent


class _Client(PassingClient):
    def __init__(self, client, layer):
        super().__init__(client)
        self._layer = layer

    async def notify(self, frames):
        await (self._layer.notify(self.client, frames) if self._layer.notify else self.client.notify(frames))

    async def request(self, frame):
        does = self._layer.request
        return await (does(self.client, frame) if does else self.client.request(frame))


class _Agent(PassingAgent):
    def __init__(self, agent, layer):
        super().__init__(agent)
        self._layer = layer

    async def prompt(self, frame):
        does = self._layer.prompt
        turn = await (does(self.agent, frame) if does else self.agent.prompt(frame))
        return _Turn(turn, self._layer.settled) if self._layer.settled else turn


class _Turn(PassingTurn):
    def __init__(self, turn, settled):
        super().__init__(turn)
        self._settled = settled

    async def settled(self):
        return await self._settled(self.turn)


def said(value, before, after):
    """A JSON value with some words in place of others, wherever they stand in it."""
    if isinstance(value, str):
        return value.replace(before, after)
    if isinstance(value, list):
        return [said(each, before, after) for each in value]
    return {key: said(each, before, after) for key, each in value.items()} if isinstance(value, dict) else value


def rewritten(frame, before, after):
    """The same message with other words."""
    identity = 0 if frame.is_request else None
    return Frame.of(frame.method, said(frame.params, before, after), identity)
