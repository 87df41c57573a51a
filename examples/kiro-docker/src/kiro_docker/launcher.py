"""Make a container last exactly as long as the block that uses it."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from subprocess import DEVNULL

import anyio
from kiro_core import PipeStream
from kiro_core.errors import Disconnected, EndingFailed, LaunchFailed, unwrapped
from kiro_core.ports import Process
from kiro_core.types import Command, Receipt

from . import DockerOptions
from .calling import Docker
from .container import Container
from .desks import DESK, FORMAT, labels_of, listed, new_name
from .refusing import refusal
from .running import arguments_of, variables_of

_SWEEP_S = 60.0
_log = logging.getLogger(__name__)


class DockerLauncher:
    """Implements `Launcher`."""

    def __init__(self, options: DockerOptions) -> None:
        """Start containers with one set of options."""
        self._options = options
        self._docker = Docker(options.program)

    @asynccontextmanager
    async def launch(self, command: Command) -> AsyncIterator[Process]:
        """Run a command in a container of its own; leaving the block ends all that is in it.

        Raises on entering:
            LaunchFailed: docker or the working directory is missing, or the system refuses.

        Raises on leaving:
            LaunchFailed: the container or the program in it did not start, which docker tells by and by.
            EndingFailed: it is still there.

        """
        name = new_name()
        container = await self._started(command, name)
        try:
            with unwrapped():
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(container.supervise)
                    try:
                        yield container
                    finally:
                        await container.end(self._options.grace_s, listens=not command.output_only)
        except Disconnected as error:
            if failed := refusal(container, command, self._options.program):
                raise failed from error
            raise
        if container.left:
            raise Surviving(self._docker, name, container.left)
        if failed := refusal(container, command, self._options.program):
            raise failed

    async def sweep(self) -> Sequence[Receipt]:
        """See `Launcher.sweep`: containers whose desk is proven dead; each counts as one, whatever ran in it."""
        receipts = list[Receipt]()
        with anyio.move_on_after(_SWEEP_S):
            try:
                found = await self._docker.call("ps", "--all", "--filter", f"label={DESK}", "--format", FORMAT)
            except LaunchFailed as error:
                _log.debug("nothing is swept: %s", error)
                return []
            if found.failed:
                _log.warning("what killed desks have left in containers is not known: %s", found.words)
            for each in listed(found.output):
                if each.desk.alive is False and not await self._docker.remove(each.name):
                    receipts.append(Receipt(f"container {each.name}", each.program, 1))
        return receipts

    async def _started(self, command: Command, name: str) -> Container:
        if not await anyio.Path(command.cwd).is_dir():
            raise LaunchFailed(
                f"The working directory {command.cwd} does not exist.", hint="Name a folder that exists."
            )
        program, labels = self._docker.path(), labels_of(name, command)
        with ExitStack() as theirs, ExitStack() as ours:
            variables = theirs.enter_context(variables_of(command, self._options)).fileno()
            stdin, writing = _pipe(theirs, ours, into_child=True)
            stdout, reading = _pipe(theirs, ours, into_child=False)
            stderr, errors = _pipe(theirs, ours, into_child=False)
            try:
                # Cut short, it would leave a client of which nobody knows.
                with anyio.CancelScope(shield=True):
                    client = await anyio.open_process(
                        [program, *arguments_of(command, self._options, name, labels, variables)],
                        pass_fds=[variables],
                        stdin=DEVNULL if command.output_only else stdin,
                        stdout=stdout,
                        stderr=stderr,
                        start_new_session=True,
                    )
            except (OSError, ValueError) as error:
                raise LaunchFailed(
                    f"{self._options.program} did not start: {error}.",
                    hint="Run it by hand to see what it lacks.",
                ) from error
            ours.pop_all()
        return Container(name, self._docker, client, PipeStream(reading, writing), errors)


class Surviving(EndingFailed):
    """A container that docker could not remove."""

    def __init__(self, docker: Docker, name: str, words: str) -> None:
        """Know how to try again."""
        super().__init__(
            f"The container {name} may still be there: {words}.",
            hint=f"`{docker.program} rm --force {name}` removes it; end the session again when that works.",
            container=name,
        )
        self._docker, self._name = docker, name

    async def again(self) -> None:
        """See `EndingFailed.again`."""
        if await self._docker.remove(self._name):
            raise self


def _pipe(theirs: ExitStack, ours: ExitStack, *, into_child: bool) -> tuple[int, int]:
    """A pipe as (the child's end, our non-blocking end), each closed by its stack."""
    reading, writing = os.pipe()
    their_end, our_end = (reading, writing) if into_child else (writing, reading)
    theirs.callback(os.close, their_end)
    ours.callback(os.close, our_end)
    os.set_blocking(our_end, False)
    return their_end, our_end
