"""A middleware of a few lines: it has one word replaced, wherever that is said, and says nothing against anything."""

import re
from contextlib import asynccontextmanager

from pydantic import BaseModel, ConfigDict

from kiro_core import Frame, Provider, hookimpl
from kiro_core.ports import PassingAgent, PassingClient, PassingLayer


class HushOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")
    word: str = "hush"


def hushed(value, word):
    if isinstance(value, str):
        return re.sub(word, "*" * len(word), value)
    if isinstance(value, list):
        return [hushed(each, word) for each in value]
    return {key: hushed(each, word) for key, each in value.items()} if isinstance(value, dict) else value


class HushAgent(PassingAgent):
    """Passes everything on."""


class HushClient(PassingClient):
    def __init__(self, client, word):
        super().__init__(client)
        self.word = word

    async def notify(self, frames):
        await self.client.notify([self.passed(frame) for frame in frames])

    def passed(self, frame):
        if frame.fault is not None or self.word.encode() not in frame.raw:
            return frame
        return Frame.of(frame.method, hushed(frame.params, self.word))


class HushLayer(PassingLayer):
    def __init__(self, word):
        self.word = word

    def agent(self, agent):
        return HushAgent(agent)

    def client(self, client):
        return HushClient(client, self.word)

    def record(self, value):
        return hushed(value, self.word)


class Hush:
    def __init__(self, word):
        self.word = word

    @asynccontextmanager
    async def enter(self, session):
        yield HushLayer(self.word)


@asynccontextmanager
async def open_hush(options):
    yield Hush(options.word)


@hookimpl
def kiro_middlewares():
    yield Provider("hush", open_hush, HushOptions, "has a word replaced wherever it is said")
