"""A transport of a few lines, towards agents and clients: each message behind its length, and no greeting."""

import itertools
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
from pydantic import BaseModel, ConfigDict

from kiro_core import Frame, Provider, hookimpl, serve_at
from kiro_core.errors import Disconnected, KiroError, unwrapped
from kiro_core.rpc import RemoteAgent, answer, failure, told
from kiro_core.types import PeerInfo

GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)


class SmallOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")
    socket: Path | None = None


class Waiting:
    """Who waits for one answer."""

    def __init__(self):
        self._answer, self._arrived = None, anyio.Event()

    def resolve(self, frame):
        self._answer = frame
        self._arrived.set()

    async def settled(self):
        await self._arrived.wait()
        if self._answer is None:
            raise Disconnected("The connection has ended.")
        return self._answer


class Talk:
    """One end of a connection: it asks, and answers by `request` and `notify`."""

    def __init__(self, stream, request, notify):
        self._stream, self._request, self._notify = stream, request, notify
        self._ids, self._waiting, self._rest = itertools.count(1), {}, b""
        self.ended = anyio.Event()

    async def run(self):
        try:
            with unwrapped():
                async with anyio.create_task_group() as tasks:
                    while (frame := await self._next()) is not None:
                        await self._take(frame, tasks)
                    self._hang_up()
                    tasks.cancel_scope.cancel()
        finally:
            self._hang_up()

    async def send(self, frames):
        raw = b"".join(len(frame.raw).to_bytes(4) + frame.raw for frame in frames)
        try:
            await self._stream.send(raw)
        except GONE as error:
            raise Disconnected("The connection has ended.") from error

    async def start(self, frame):
        if self.ended.is_set():
            raise Disconnected("The connection has ended.")
        number = b"%d" % next(self._ids)
        waiting = self._waiting[number] = Waiting()
        await self.send([frame.with_id(number)])
        return waiting

    async def call(self, frame):
        return await (await self.start(frame)).settled()

    async def _take(self, frame, tasks):
        if frame.is_request:
            tasks.start_soon(self._reply, frame)
            # Whatever decides the place of a request happens before what follows it is read.
            await anyio.lowlevel.checkpoint()
        elif frame.is_notification:
            await self._notify(frame)
        elif waiting := self._waiting.pop(frame.id, None):
            waiting.resolve(frame)

    async def _reply(self, frame):
        try:
            response = await self._request(frame)
        except KiroError as error:
            response = failure(error)
        await self.send([response.with_id(frame.id)])

    async def _next(self):
        try:
            length = int.from_bytes(await self._exactly(4))
            return Frame.read(await self._exactly(length))
        except GONE:
            return None

    async def _exactly(self, count):
        while len(self._rest) < count:
            self._rest += await self._stream.receive()
        item, self._rest = self._rest[:count], self._rest[count:]
        return item

    def _hang_up(self):
        self.ended.set()
        while self._waiting:
            self._waiting.popitem()[1].resolve(None)


class Client:
    """Implements `Client` for who is at the other end."""

    info = PeerInfo("small")

    def __init__(self):
        self.talk = None

    async def notify(self, frames):
        await self.talk.send(frames)

    async def request(self, frame):
        return await self.talk.call(frame)


async def converse(stream, desk):
    client = Client()
    try:
        async with desk.attach(client) as agent:
            client.talk = Talk(stream, partial(_answered, agent, client), partial(told, agent))
            await client.talk.run()
    except KiroError as error:
        await Talk(stream, partial(_refused, error), _dropped).run()
    finally:
        await stream.aclose()


async def _refused(error, _):
    raise error


async def _dropped(_):
    pass


async def _answered(agent, client, frame):
    return await answer(agent, frame, client.talk.ended)


class SmallTransport:
    """Implements `Wire` and, at a socket, `Face`."""

    def __init__(self, place):
        self._place = place

    @asynccontextmanager
    async def connect(self, process, client, timeout_s):
        async def notify(frame):
            await client.notify([frame])

        talk = Talk(process, client.request, notify)
        with unwrapped():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._end_with, talk, tasks.cancel_scope)
                yield RemoteAgent(talk, PeerInfo("small"))
                tasks.cancel_scope.cancel()

    async def _end_with(self, talk, block):
        await talk.run()
        block.cancel()

    async def serve(self, desk, *, task_status=anyio.TASK_STATUS_IGNORED):
        await serve_at(str(self._place), lambda stream: converse(stream, desk), task_status=task_status)


@asynccontextmanager
async def open_small(options):
    yield SmallTransport(options.socket)


@hookimpl
def kiro_transports():
    yield Provider("small", open_small, SmallOptions)
