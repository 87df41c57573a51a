"""Starts agent programs on this machine, each in a group of its own, so that it can be ended with its children."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
from kiro_core import PipeStream
from kiro_core.errors import LaunchFailed, unwrapped
from kiro_core.types import Command, Receipt

from .process import GroupProcess


class GroupLauncher:
    """Implements `Launcher`."""

    def __init__(self, grace_s: float) -> None:
        """Give a program so many seconds after the end of its stdin, and as many again after SIGTERM."""
        self._grace_s = grace_s

    @asynccontextmanager
    async def launch(self, command: Command) -> AsyncIterator[GroupProcess]:
        """See `Launcher.launch`."""
        # An error of the block comes out as it is, and not as a group of one.
        with unwrapped():
            async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
                process = await self._start(command, stack)
                tasks.start_soon(process.read_errors)
                try:
                    yield process
                finally:
                    # Also who is cancelled leaves nothing behind; how long that takes is bounded in `end`.
                    with anyio.CancelScope(shield=True):
                        await process.end(self._grace_s)
                    tasks.cancel_scope.cancel()

    async def sweep(self) -> Sequence[Receipt]:
        """See `Launcher.sweep`: nothing is written down of a launch, and so nothing is known of one that is over."""
        return []

    async def _start(self, command: Command, stack: AsyncExitStack) -> GroupProcess:
        if not await anyio.Path(command.cwd).is_dir():
            raise LaunchFailed(f"There is no folder {command.cwd}.", hint="Make it, or choose another one.")
        (stdin, ours_out), (ours_in, stdout), (ours_errors, stderr) = [os.pipe() for _ in range(3)]
        for fd in (ours_in, ours_out, ours_errors):
            os.set_blocking(fd, False)
        stream, errors = PipeStream(ours_in, ours_out), PipeStream(ours_errors, os.open(os.devnull, os.O_WRONLY))
        stack.push_async_callback(stream.aclose)
        stack.push_async_callback(errors.aclose)
        if command.output_only:
            os.close(stdin)
            stdin = os.open(os.devnull, os.O_RDONLY)
        try:
            process = await anyio.open_process(
                command.argv,
                cwd=command.cwd,
                env={name: value for name, value in os.environ.items() if name not in command.unset} | {**command.env},
                stdin=stdin,
                stdout=stdout,
                stderr=stdout if command.output_only else stderr,
                start_new_session=True,
            )
        except OSError as error:
            reason = error.strerror or str(error)
            raise LaunchFailed(f"{command.argv[0]} cannot be started: {reason}.", hint="Install it.") from error
        finally:
            for fd in (stdin, stdout, stderr):
                os.close(fd)
        return GroupProcess(process, stream, errors)
