"""A launcher of a few lines over anyio's own processes: it ends a group, and nothing that has left it."""

import os
import signal
from collections import deque
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import anyio
from pydantic import BaseModel, ConfigDict

from kiro_core import PipeStream, Provider, hookimpl
from kiro_core.errors import LaunchFailed, unwrapped
from kiro_core.types import Exit


class SmallOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")
    grace_s: float = 1


class SmallProcess:
    """Implements `Process`; anyio starts and reaps it, the pipes are ours."""

    def __init__(self, process, stream, errors):
        self._process, self._stream, self._errors = process, stream, errors
        self._lines, self._silent = deque(maxlen=40), anyio.Event()
        self.identity = f"pid {process.pid}"
        self.receive, self.send, self.send_eof = stream.receive, self._send, stream.send_eof
        self._stdin_open = True

    @property
    def exit(self):
        code = self._process.returncode
        return None if code is None else Exit(code)

    async def wait(self):
        await self._process.wait()
        with anyio.move_on_after(1):
            await self._silent.wait()
        return self.exit

    def stderr_tail(self):
        return "\n".join(self._lines)

    async def _send(self, item):
        try:
            await self._stream.send(item)
        except anyio.ClosedResourceError as error:
            raise anyio.BrokenResourceError from error

    async def read_errors(self):
        rest = b""
        with suppress(anyio.EndOfStream, anyio.ClosedResourceError):
            while True:
                *lines, rest = (rest + await self._errors.receive()).split(b"\n")
                self._lines.extend(line.decode() for line in lines)
        self._silent.set()

    async def end(self, grace_s):
        await self._stream.send_eof()
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, number)
            with anyio.move_on_after(5 if number == signal.SIGKILL else grace_s):
                await self._process.wait()


class SmallLauncher:
    """Implements `Launcher`."""

    def __init__(self, grace_s):
        self._grace_s = grace_s

    @asynccontextmanager
    async def launch(self, command):
        with unwrapped():
            async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
                process = await self._start(command, stack)
                tasks.start_soon(process.read_errors)
                try:
                    yield process
                finally:
                    with anyio.CancelScope(shield=True):
                        await process.end(self._grace_s)
                    tasks.cancel_scope.cancel()

    async def _start(self, command, stack):
        if not await anyio.Path(command.cwd).is_dir():
            raise LaunchFailed(f"There is no folder {command.cwd}.", hint="Make it.")
        pipes = [os.pipe() for _ in range(3)]
        (stdin, ours_out), (ours_in, stdout), (ours_errors, stderr) = pipes
        stream, errors = PipeStream(ours_in, ours_out), PipeStream(ours_errors, os.open(os.devnull, os.O_WRONLY))
        for fd in (ours_in, ours_out, ours_errors):
            os.set_blocking(fd, False)
        stack.push_async_callback(stream.aclose)
        stack.push_async_callback(errors.aclose)
        env = {name: value for name, value in os.environ.items() if name not in command.unset} | dict(command.env)
        if command.output_only:
            os.close(stdin)
            stdin = os.open(os.devnull, os.O_RDONLY)
        ends = {"stdin": stdin, "stdout": stdout, "stderr": stdout if command.output_only else stderr}
        try:
            process = await anyio.open_process(command.argv, cwd=command.cwd, env=env, start_new_session=True, **ends)
        except FileNotFoundError as error:
            raise LaunchFailed(f"There is no program {command.argv[0]!r}.", hint="Install it.") from error
        finally:
            for fd in (stdin, stdout, stderr):
                os.close(fd)
        return SmallProcess(process, stream, errors)

    async def sweep(self):
        return []


@asynccontextmanager
async def open_small(options):
    yield SmallLauncher(options.grace_s)


@hookimpl
def kiro_launchers():
    yield Provider("small", open_small, SmallOptions)
