"""For each core promise a double with one method that breaks it, so that it is seen that its test can fail."""

import json
import os
import signal
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import wraps

import anyio
import anyio.lowlevel
import small_middleware
import team
from skeletons import GroupLauncher, GroupProcess, LengthTransport, Talk

from kiro_core import Frame
from kiro_core.errors import Disconnected, Held, LaunchFailed
from kiro_core.ports import PassingAgent, storing
from kiro_core.testing.memory import MemoryStore
from kiro_core.testing.memory.db import MemoryDb
from kiro_core.testing.memory.shelf import Shelf
from kiro_core.types import AgentConfig, Exit, Receipt
from kiro_files import opening
from kiro_files.files import Files
from kiro_files.owner import read_owner
from kiro_files.store import FileStore

MUTANTS = {}
"""By the id of the promise: the class (or module), the name of its method, and what replaces it."""

CLIENTS = {}
"""Whom a broken middleware tells everything."""

STRAYS = []
"""Groups of processes that a broken launcher leaves behind."""


def breaks(promise, target, name):
    """Mark what breaks a promise; it is given the original method in front."""

    def marked(function):
        original = target.__dict__[name]

        @wraps(function)
        def broken(*arguments, **named):
            return function(original, *arguments, **named)

        MUTANTS[promise] = (target, name, broken)
        return broken

    return marked


@breaks("agents.find", team.Team, "find")
async def _(find, self, name, cwd):
    config = await find(self, name, cwd)
    return config and replace(config, name="another")


@breaks("agents.listing", team.Team, "names")
async def _(names, self, cwd):
    return [*await names(self, cwd)] * 2


@breaks("agents.unknown", team.Team, "find")
async def _(find, self, name, cwd):
    return await find(self, name, cwd) or AgentConfig(name)


@breaks("store.lease.one-owner", MemoryStore, "_free")
def _(free, self, session):
    return self._shelf(session)


@breaks("store.lease.unique-id", MemoryStore, "create")
@asynccontextmanager
async def _(create, self, info, contact=None):
    self._shelves.pop(info.id, None)
    async with create(self, info) as db:
        yield db


@breaks("store.lease.leaving", Shelf, "give_back")
def _(give_back, self):
    pass


@breaks("store.lease.cancellation", MemoryStore, "open")
@asynccontextmanager
async def _(open_session, self, session, contact=None):
    shelf = self._free(session)
    yield MemoryDb(shelf, shelf.take({"pid": 0}))
    shelf.give_back()


@breaks("store.lease.contenders", MemoryStore, "open")
@asynccontextmanager
async def _(open_session, self, session, contact=None):
    shelf = self._free(session)
    await anyio.lowlevel.checkpoint()
    yield MemoryDb(shelf, shelf.take({"pid": 0}))
    shelf.give_back()


@breaks("store.lease.epochs", Shelf, "take")
def _(take, self, owner):
    self.epoch -= self.epoch > 0 and not self.records
    return take(self, owner)


@breaks("store.lease.fenced", MemoryDb, "_check")
def _(check, self):
    pass


@breaks("store.log.order", MemoryDb, "append")
async def _(append, self, batch, *, consume=()):
    return await append(self, batch[::-1], consume=consume)


@breaks("store.log.bytes", MemoryDb, "append")
async def _(append, self, batch, *, consume=()):
    return await append(self, [json.dumps(json.loads(body)).encode() for body in batch], consume=consume)


@breaks("store.log.continued", Shelf, "take")
def _(take, self, owner):
    self.records = self.records[:-1]
    return take(self, owner)


@breaks("store.inbox.once", MemoryStore, "put")
async def _(put, self, session, message_id, body):
    self._shelf(session).settled.clear()
    return await put(self, session, message_id, body)


@breaks("store.settle.consumed", MemoryDb, "append")
async def _(append, self, batch, *, consume=()):
    return await append(self, batch)


@breaks("store.settle.atomic", MemoryDb, "append")
async def _(append, self, batch, *, consume=()):
    return await append(self, batch, consume=[name for name in consume if name in self._shelf.pending])


@breaks("store.settle.woken", Shelf, "ring")
def _(ring, self):
    self.rung += 1


@breaks("store.read.after", MemoryStore, "read")
async def _(read, self, session, after=0):
    async for record in read(self, session, after - 1):
        yield record


@breaks("store.read.whole-batches", MemoryDb, "append")
async def _(append, self, batch, *, consume=()):
    for body in batch:
        await append(self, [body])
        await anyio.lowlevel.checkpoint()
    return self.head


@breaks("store.catalogue.replaced", MemoryDb, "put_info")
async def _(put_info, self, info):
    await put_info(self, replace(info, model=info.model or self.info.model))


@breaks("store.catalogue.pages", storing, "_place_in")
def _(place_in, cursor):
    return place_in(cursor)[0], ""


@breaks("store.delete.gone", MemoryStore, "delete")
async def _(delete, self, session, *, trashed=""):
    self._shelf(session)


@breaks("store.delete.owned", MemoryStore, "delete")
async def _(delete, self, session, *, trashed=""):
    del self._shelves[session]


@breaks("store.process.one-owner", FileStore, "open")
@asynccontextmanager
async def _(open_session, self, session, contact=None):
    try:
        async with open_session(self, session) as db:
            yield db
    except Held:
        yield MemoryDb(Shelf(await self.get(session)), 1)


@breaks("store.process.death", FileStore, "open")
@asynccontextmanager
async def _(open_session, self, session, contact=None):
    if read_owner(Files(self._root, session).lock).pid not in {0, os.getpid()}:
        raise Held("Its owner has not said that it leaves.")
    async with open_session(self, session) as db:
        yield db


@breaks("store.crash.durable", opening, "find_end")
def _(find_end, fd, size):
    return find_end(fd, os.pread(fd, size, 0)[:-1].rfind(b"\n") + 1)


@breaks("launcher.arguments", GroupLauncher, "_start")
async def _(start, self, command, stack):
    return await start(self, replace(command, argv=[word.strip() for word in command.argv]), stack)


@breaks("launcher.missing", GroupLauncher, "_start")
async def _(start, self, command, stack):
    try:
        return await start(self, command, stack)
    except LaunchFailed as error:
        raise LaunchFailed("It did not work.", hint="Try again.") from error


@breaks("launcher.stream", GroupProcess, "send")
async def _(send, self, item):
    await send(self, item.upper())


@breaks("launcher.stream.long", GroupLauncher, "_start")
async def _(start, self, command, stack):
    process = await start(self, command, stack)
    receive = process.receive
    process.receive = lambda max_bytes=0: receive()
    return process


@breaks("launcher.exit", GroupProcess, "wait")
async def _(wait, self):
    return Exit(abs((await wait(self)).code))


@breaks("launcher.leaving.deaf", GroupProcess, "end")
async def _(end, self, grace_s):
    STRAYS.append(self._process.pid)
    self._process.terminate()


@breaks("launcher.leaving.cancelled", GroupProcess, "end")
async def _(end, self, grace_s):
    STRAYS.append(self._process.pid)


@breaks("launcher.leaving.children", GroupProcess, "end")
async def _(end, self, grace_s):
    STRAYS.append(self._process.pid)
    with suppress(ProcessLookupError):
        self._process.kill()
    await self._process.wait()


@breaks("launcher.sweep.live", GroupLauncher, "sweep")
async def _(sweep, self):
    return [Receipt("pid 1", "init", 1)]


@breaks("wire.order", Talk, "_take")
async def _(take, self, frame, tasks):
    if frame.is_notification:
        frame, self.late = getattr(self, "late", None), frame
    if frame is not None:
        await take(self, frame, tasks)


@breaks("wire.questions", Talk, "_reply")
async def _(reply, self, frame):
    if frame.method == "session/request_permission":
        await self.send([Frame.answer({"outcome": {"outcome": "cancelled"}}, id=frame.id)])
    else:
        await reply(self, frame)


@breaks("wire.answers", Talk, "_take")
async def _(take, self, frame, tasks):
    if frame.method is None:
        frame = frame.with_id(list(self._waiting)[-1])
    await take(self, frame, tasks)


@breaks("wire.cancel", Talk, "_take")
async def _(take, self, frame, tasks):
    if frame.method != "session/cancel":
        await take(self, frame, tasks)


@breaks("wire.back-pressure", Talk, "_take")
async def _(take, self, frame, tasks):
    if frame.is_notification:
        tasks.start_soon(self._notify, frame)
    else:
        await take(self, frame, tasks)


@breaks("wire.hang-up.waiters", Talk, "_hang_up")
def _(hang_up, self):
    self.ended.set()


@breaks("wire.hang-up.block", LengthTransport, "_end_with")
async def _(end_with, self, talk, block):
    await talk.ended.wait()


@breaks("face.started", LengthTransport, "serve")
async def _(serve, self, desk, *, task_status):
    task_status.started(f"{self._place}.soon")
    await serve(self, desk)


@breaks("face.cancelled", LengthTransport, "serve")
async def _(serve, self, desk, *, task_status):
    try:
        await serve(self, desk, task_status=task_status)
    finally:
        self._place.mkdir()


@breaks("face.stdout", LengthTransport, "serve")
async def _(serve, self, desk, *, task_status):
    os.write(1, b"listening\n")
    await serve(self, desk, task_status=task_status)


@breaks("middleware.order", small_middleware.HushClient, "notify")
async def _(notify, self, frames):
    if held := self.__dict__.pop("held", None):
        await notify(self, [*frames, *held])
    else:
        self.held = frames


@breaks("middleware.cancel", PassingAgent, "cancel")
async def _(cancel, self, frame):
    pass


@breaks("middleware.verbs", PassingAgent, "notify")
async def _(notify, self, frame):
    pass


@breaks("middleware.unasked", small_middleware.HushClient, "notify")
async def _(notify, self, frames):
    await notify(self, [frame for frame in frames if frame.method == "session/update"])


@breaks("middleware.in-time", small_middleware.Hush, "enter")
@asynccontextmanager
async def _(enter, self, session):
    async with enter(self, session) as layer:
        yield layer
    await anyio.sleep_forever()


@breaks("middleware.noise", small_middleware.HushClient, "passed")
def _(passed, self, frame):
    json.loads(frame.raw)
    return passed(self, frame)


@breaks("middleware.errors", PassingAgent, "call")
async def _(call, self, frame):
    try:
        return await call(self, frame)
    except Disconnected as error:
        raise RuntimeError("it failed") from error


@breaks("middleware.record.shape", small_middleware.HushLayer, "record")
def _(record, self, value):
    return {"recorded": record(self, value)}


@breaks("middleware.record.again", small_middleware.HushLayer, "record")
def _(record, self, value):
    return record(self, value) + "!" if isinstance(value, str) else record(self, value)


@breaks("middleware.record.everywhere", small_middleware.HushLayer, "record")
def _(record, self, value):
    return f"{id(self)}" if isinstance(value, str) else record(self, value)


@breaks("middleware.apart", small_middleware.HushLayer, "client")
def _(client, self, whose):
    return client(self, CLIENTS.setdefault("all", whose))


@breaks("middleware.restart", small_middleware.HushLayer, "client")
def _(client, self, whose):
    return client(self, self.__dict__.setdefault("first", whose))


@breaks("middleware.leaving.error", small_middleware.Hush, "enter")
@asynccontextmanager
async def _(enter, self, session):
    try:
        async with enter(self, session) as layer:
            yield layer
    except LookupError as error:
        raise RuntimeError("it was left") from error


@breaks("middleware.leaving.cancelled", small_middleware.Hush, "enter")
@asynccontextmanager
async def _(enter, self, session):
    with suppress(anyio.get_cancelled_exc_class()):
        async with enter(self, session) as layer:
            yield layer


def end_strays():
    """End what broken launchers have left."""
    while STRAYS:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(STRAYS.pop(), signal.SIGKILL)
