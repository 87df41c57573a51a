"""As much of a desk as launches programs, in a process that can be killed; each line on stdin is an order."""

import json
import os
import resource
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import anyio

from kiro_core.errors import LaunchFailed
from kiro_core.types import Command
from kiro_local import kiro_launchers

NOBODY = 65534


def descriptors():
    return len(list(Path("/dev/fd").iterdir()))


class Desk:
    def __init__(self, launcher, stack):
        self.launcher, self.stack = launcher, stack

    async def descriptors(self):
        return descriptors()

    async def launch(self, *argv):
        """Its identity, or why not."""
        try:
            return (await self.stack.enter_async_context(self.launcher.launch(Command(argv, "/")))).identity
        except LaunchFailed as error:
            return f"{error} {error.hint}"

    async def fork(self):
        """Have a child that holds all that is open."""
        child = os.fork()
        if not child:
            signal.pause()
        return child

    async def become_nobody(self):
        """Be someone for whom there are limits."""
        if os.getuid() == 0:
            os.setuid(NOBODY)

    async def allow_no_process(self):
        resource.setrlimit(resource.RLIMIT_NPROC, (0, resource.getrlimit(resource.RLIMIT_NPROC)[1]))

    async def allow_processes(self):
        hard = resource.getrlimit(resource.RLIMIT_NPROC)[1]
        resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))


async def main():
    (provider,) = kiro_launchers()
    async with provider.open(provider.options(grace_s=0.05)) as launcher, AsyncExitStack() as stack:
        desk = Desk(launcher, stack)
        for line in sys.stdin:
            order, *words = json.loads(line)
            sys.stdout.write(f"{await getattr(desk, order)(*words)}\n")
            sys.stdout.flush()


anyio.run(main)
