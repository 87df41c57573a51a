"""The program that a person sits in front of: it starts `kiro-core acp` and speaks to it in lines of JSON."""

import json
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from real.terminals import Terminals

PROGRAM = Path(sys.executable).with_name("kiro-core")
_LONGEST_LINE = 64 * 1024 * 1024
_ENDS_WITHIN_S = 30


class Editor:
    """Keeps all that comes; `choice` is the kind of option that it chooses when it is asked for a permission."""

    def __init__(self, process, tasks, cwd):
        self.choice = "allow_once"
        self.updates, self.questions, self.noise = [], [], []
        self.terminals = Terminals(tasks, cwd)
        self._process, self._tasks = process, tasks
        self._answers = {}
        self._changed = anyio.Event()

    async def ask(self, method, **params):
        """Send a request and wait for its answer, an error or not."""
        id_ = len(self._answers) + 1
        self._answers[id_] = None
        await self._send({"id": id_, "method": method, "params": params})
        await self.until(lambda: self._answers[id_] is not None)
        return self._answers[id_]

    async def tell(self, method, **params):
        """Send a notification."""
        await self._send({"method": method, "params": params})

    async def until(self, happened):
        """Wait for what `happened` looks at: it is asked again after each line."""
        while not happened():
            await self._changed.wait()

    async def prompt(self, session, text, *blocks):
        """The answer to a prompt."""
        return await self.ask("session/prompt", sessionId=session, prompt=[{"type": "text", "text": text}, *blocks])

    def of(self, kind):
        """The updates of one kind."""
        return [update for update in self.updates if update["sessionUpdate"] == kind]

    def said(self, kind="agent_message_chunk"):
        """The words of the agent, or what it took for those of the user."""
        return "".join(update["content"].get("text", "") for update in self.of(kind))

    async def read(self):
        """Take line after line until there is none."""
        lines = BufferedByteReceiveStream(self._process.stdout)
        while True:
            try:
                line = await lines.receive_until(b"\n", _LONGEST_LINE)
            except (anyio.EndOfStream, anyio.IncompleteRead):
                return
            self._take(line)
            self._changed.set()
            self._changed = anyio.Event()

    def _take(self, line):
        try:
            message = json.loads(line)
            valid = message["jsonrpc"] == "2.0" and ("method" in message or message["id"] in self._answers)
        except (ValueError, TypeError, KeyError):
            valid = False
        if not valid:
            self.noise.append(line)
        elif "method" not in message:
            self._answers[message["id"]] = message
        elif "id" in message:
            self._tasks.start_soon(self._serve, message)
        elif message["method"] == "session/update":
            self.updates.append(message["params"]["update"])

    async def _serve(self, message):
        method, params = message["method"], message["params"]
        if method == "session/request_permission":
            answer = {"result": {"outcome": self._chosen(params)}}
        elif method.startswith("terminal/"):
            answer = {"result": await self.terminals.answer(method, params)}
        else:
            answer = {"error": {"code": -32601, "message": f"This editor has no {method}."}}
        await self._send({"id": message["id"], **answer})

    def _chosen(self, params):
        self.questions.append(params)
        option = next(option for option in params["options"] if option["kind"] == self.choice)
        return {"outcome": "selected", "optionId": option["optionId"]}

    async def _send(self, message):
        await self._process.stdin.send(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


@asynccontextmanager
async def editor(cwd, engine, env, stderr):
    """An editor of a `kiro-core acp` that, hung up on, has ended well and printed nothing but protocol."""
    with stderr.open("wb") as kept:
        command = [PROGRAM, "acp", "--engine", engine]
        process = await anyio.open_process(command, stderr=kept, cwd=cwd, env=env)
    async with process, anyio.create_task_group() as tasks:
        one = Editor(process, tasks, cwd)
        tasks.start_soon(one.read)
        yield one
        with anyio.fail_after(_ENDS_WITHIN_S):
            await process.stdin.aclose()
            assert await process.wait() == 0
    assert one.noise == []
    assert stderr.read_text() == ""
