"""The walk of a prompt, counted: how much work one relayed chunk costs, without a clock."""

import fcntl
import os
from collections import Counter

import anyio
import msgspec
import pytest
import trio
from anyio import to_thread

from kiro_acp.local import LocalAgent
from kiro_core import PipeStream
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient


class Editor:
    """The far end of an ACP connection: blocking files in worker threads, so that none of its work is counted."""

    def __init__(self):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # Never full: a chunk that the editor's pipe takes in parts would count as several writes.
        fcntl.fcntl(ours_out, fcntl.F_SETPIPE_SZ, 1 << 20)
        os.set_blocking(ours_in, False)
        os.set_blocking(ours_out, False)
        self.stream = PipeStream(ours_in, ours_out)
        self.fd = ours_out
        self._in, self._out = os.fdopen(theirs_in, "rb"), os.fdopen(theirs_out, "wb", buffering=0)
        self.updates = 0

    async def ask(self, method, params):
        await to_thread.run_sync(self._out.write, Frame.of(method, params, id=1).raw + b"\n")
        return await to_thread.run_sync(self._answer)

    def _answer(self):
        for line in self._in:
            message = msgspec.json.decode(line)
            if "id" in message:
                return message["result"]
            self.updates += 1
        raise EOFError

    def close(self):
        self._in.close()
        self._out.close()


class Counts:
    """Calls of `os.read` and `os.write` by descriptor."""

    def __init__(self, monkeypatch):
        self.reads, self.writes = Counter(), Counter()
        read, write = os.read, os.write

        def counted_read(fd, size):
            self.reads[fd] += 1
            return read(fd, size)

        def counted_write(fd, data):
            self.writes[fd] += 1
            return write(fd, data)

        monkeypatch.setattr(os, "read", counted_read)
        monkeypatch.setattr(os, "write", counted_write)

    def clear(self):
        self.reads.clear()
        self.writes.clear()


class Steps(trio.abc.Instrument):
    """Task steps of everything that runs."""

    def __init__(self):
        self.count = 0

    def before_task_step(self, _task):
        self.count += 1


@pytest.fixture(params=["trio"])
def anyio_backend(request):
    return request.param


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="only Linux can make a pipe large")
async def test_a_relayed_chunk_costs_one_read_one_append_one_write_and_few_task_steps(opened_desk, store, monkeypatch):
    editor, steps = Editor(), Steps()
    with anyio.fail_after(60):
        local = LocalAgent(editor.stream, lambda _: [])
        async with (
            anyio.create_task_group() as tasks,
            opened_desk(local.client, plugins=[store], store="frail") as office,
        ):
            tasks.start_soon(local.peer.run)
            local.open(office.agent)
            session = (await editor.ask("session/new", {"cwd": str(office.cwd), "mcpServers": []}))["sessionId"]
            counts, commits = Counts(monkeypatch), store.done.count("commit")
            trio.lowlevel.add_instrument(steps)
            prompt = [{"type": "text", "text": "/flood 2000 100"}]
            await editor.ask("session/prompt", {"sessionId": session, "prompt": prompt})
            trio.lowlevel.remove_instrument(steps)
            chunks = max(counts.reads.values())
            to_editor = counts.writes.pop(editor.fd)
            to_log = max(counts.writes.values())
            commits = store.done.count("commit") - commits
            tasks.cancel_scope.cancel()
        await editor.stream.aclose()
        editor.close()
    assert editor.updates >= 2000
    prompt_itself = 8
    assert chunks < 2000 / 4, "an agent's writes are read together"
    assert to_log <= chunks + prompt_itself
    assert to_editor <= chunks + prompt_itself
    # One for all that came within 25 ms; one each for what was before, the turn's begin and its end.
    assert commits <= chunks + 3
    assert steps.count <= 3 * chunks + 10 * prompt_itself


def at_rest():
    """Whether nothing waits for a clock but the test itself."""
    return trio.lowlevel.current_statistics().seconds_to_next_deadline > 5


async def test_a_session_at_rest_waits_for_no_clock(opened_desk, store):
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient(), plugins=[store], store="frail") as office:
            session = await office.start()
            await office.prompt(session, "/echo hello")
            await anyio.wait_all_tasks_blocked()
            # What was noted is still being written; what ticks for ever is never at rest, and the test ends there.
            while not at_rest():
                await anyio.wait_all_tasks_blocked()
            assert store.durable > store.done.index("turn_ended")
