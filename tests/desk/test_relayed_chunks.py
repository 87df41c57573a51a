"""What a chunk of updates costs on its way from an agent to an editor is counted, not timed: it is not paid a line."""

import asyncio
import json
import os
from contextlib import asynccontextmanager

import anyio
import pytest
import trio
from sniffio import current_async_library

from kiro_acp.face import converse
from kiro_core import PipeStream
from kiro_core.frames import Frame
from kiro_files.log import Log

MANY = 200
PROMPT = """
text = asked["params"]["prompt"][0]["text"]
update = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "." * 40}}
line = json.dumps({"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "s", "update": update}})
os.write(1, (line + "\\n").encode() * int(text))
sys.stdin.readline()
"""
"""So many updates by one write; the answer comes behind the next message of the client."""


class Editor:
    """An editor at the other ends of two pipes."""

    def __init__(self, stream):
        self._stream, self._read, self.ids = stream, b"", 0

    async def send(self, method, params, **more):
        await self._stream.send(
            json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode() + b"\n"
        )

    async def lines(self, count):
        while self._read.count(b"\n") < count:
            self._read += await self._stream.receive(1 << 20)
        *lines, self._read = self._read.split(b"\n")
        return lines

    async def ask(self, method, params):
        self.ids += 1
        await self.send(method, params, id=self.ids)
        answer = {}
        while answer.get("id") != self.ids:
            answer = json.loads((await self.lines(1))[-1])
        return answer["result"]

    async def begin(self, cwd):
        await self.ask("initialize", {"protocolVersion": 1})
        self.session = (await self.ask("session/new", {"cwd": str(cwd), "mcpServers": []}))["sessionId"]

    async def flood(self, count):
        """Have so many updates and read them; the turn goes on until `cancel`."""
        self.ids += 1
        prompt = [{"type": "text", "text": str(count)}]
        await self.send("session/prompt", {"sessionId": self.session, "prompt": prompt}, id=self.ids)
        return await self.lines(count)

    async def cancel(self):
        await self.send("session/cancel", {"sessionId": self.session})
        await self.lines(1)


class Plain:
    """A stream that cannot tell whether a send would have to wait."""

    def __init__(self, stream):
        self.receive, self.send, self.aclose = stream.receive, stream.send, stream.aclose


@asynccontextmanager
async def connected(desk, kind):
    """An editor at the desk, by pipes."""
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    for fd in (theirs_in, ours_out, ours_in, theirs_out):
        os.set_blocking(fd, False)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(converse, kind(PipeStream(ours_in, ours_out)), desk)
        stream = PipeStream(theirs_in, theirs_out)
        try:
            yield Editor(stream), ours_out
        finally:
            await stream.aclose()


class Counts:
    """How often a descriptor is written to, a log appended to, a message built, and a task or callback run."""

    def __init__(self, monkeypatch, fd):
        self.writes = self.appends = self.built = self.steps = 0
        write, append, make = os.write, Log.append, Frame.__init__

        def written(to, data):
            self.writes += to == fd
            return write(to, data)

        def appended(log, batch, *settled):
            self.appends += 1
            return append(log, batch, *settled)

        def built(frame, *head):
            self.built += 1
            make(frame, *head)

        monkeypatch.setattr(os, "write", written)
        monkeypatch.setattr(Log, "append", appended)
        monkeypatch.setattr(Frame, "__init__", built)
        if current_async_library() == "trio":
            trio.lowlevel.add_instrument(self)
        else:
            run = asyncio.events.Handle._run
            monkeypatch.setattr(
                asyncio.events.Handle, "_run", lambda handle: (self.before_task_step(handle), run(handle))
            )

    def before_task_step(self, _):
        self.steps += 1

    def taken(self):
        counts = (self.writes, self.appends, self.built)
        steps, self.writes, self.appends, self.built, self.steps = self.steps, 0, 0, 0, 0
        return counts, steps


@pytest.mark.parametrize("kind", [lambda stream: stream, Plain], ids=["at once", "by a task"])
async def test_a_chunk_is_one_append_one_write_and_a_few_steps_however_many_updates_it_has(
    opened_desk, scripted, monkeypatch, tmp_path, kind
):
    costs = {}
    with anyio.fail_after(30):
        async with (
            opened_desk(None, engine_settings={"x": scripted(prompt=PROMPT)}, engine="x") as office,
            connected(office.desk, kind) as (editor, fd),
        ):
            await editor.begin(tmp_path)
            counts = Counts(monkeypatch, fd)
            for count in (1, 1, MANY):
                counts.taken()
                assert len(await editor.flood(count)) == count
                costs[count] = counts.taken()
                await editor.cancel()
            assert len(await office.entries(editor.session, "update")) == MANY + 2
    (one, one_steps), (many, steps) = costs[1], costs[MANY]
    assert one[0] == 1, "an update is one write"
    assert many == one, "and so are many, with as many appends, and no message built for them"
    assert steps <= one_steps + 10
