"""The short calls of docker: asked, waited for within bounds, and answered in its own words."""

from __future__ import annotations

import shutil
from subprocess import DEVNULL
from typing import NamedTuple

import anyio
from kiro_core.errors import LaunchFailed

LIMIT_S = 20.0
"""How long a call may take; docker itself waits 10 s for a container that it has killed."""

_MISSING = "no such container"


class Answer(NamedTuple):
    """What a call came to: `words` are those that it has for people, and say why where it `failed`."""

    failed: bool
    output: str
    words: str


class Docker:
    """Docker, or whatever speaks as it does."""

    def __init__(self, program: str) -> None:
        """`program` is its name or path."""
        self.program = program

    def path(self) -> str:
        """Where it is.

        Raises:
            LaunchFailed: it is not there.

        """
        if found := shutil.which(self.program):
            return found
        raise LaunchFailed(
            f"There is no program {self.program!r} to run containers with.",
            hint="Install it, or set `program` of the launcher to what you have: docker, podman, or a path.",
        )

    async def call(self, *arguments: str) -> Answer:
        """Call it, within `LIMIT_S`.

        Raises:
            LaunchFailed: it is not there.

        """
        argv = [self.path(), *arguments]
        try:
            with anyio.fail_after(LIMIT_S):
                # In a session of its own: a Ctrl-C at the terminal is for us.
                done = await anyio.run_process(argv, stdin=DEVNULL, check=False, start_new_session=True)
        except TimeoutError:
            return Answer(True, "", f"`{self.program} {arguments[0]}` did not answer within {LIMIT_S:g} s")
        except OSError as error:
            return Answer(True, "", f"`{self.program} {arguments[0]}` did not start: {error}")
        return Answer(done.returncode != 0, done.stdout.decode(errors="replace"), last_words(done.stderr))

    async def remove(self, name: str) -> str:
        """Kill a container and all that is in it, if there is one of that name: what keeps it there, or nothing."""
        answer = await self.call("rm", "--force", name)
        return answer.words if answer.failed and _MISSING not in answer.words.lower() else ""


def last_words(text: bytes | str) -> str:
    """The last line that says something, which is not docker's advice to read its manual."""
    lines = (text if isinstance(text, str) else text.decode(errors="replace")).splitlines()
    said = [line.strip() for line in lines if line.strip() and not line.startswith(("Run '", "See '"))]
    return said[-1] if said else "it said nothing"
