"""Which desk a container belongs to, as its labels say, so that another desk can tell whether that one still lives.

Labels alone prove nothing: an image made of a container has them too, and with it each container of that image,
whoever has started it. So a label says for which container it was written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import NamedTuple
from uuid import uuid4

from kiro_core.processes import ProcessMark, mark_of
from kiro_core.types import Command

DESK = "kiro-core.desk"
PROGRAM = "kiro-core.program"
FORMAT = '{{.Names}} {{.Label "kiro-core.desk"}} {{.Label "kiro-core.program"}}'
"""How `docker ps` shows one container a line, for `listed`."""

_LINE = re.compile(r"(kiro-core-[0-9a-f]{32}) \1/([0-9]{1,10})/([^/ ]*)/([^/ ]*)/([^/ ]*) (.*)")


class Listed(NamedTuple):
    """A container, the desk that has started it, and the name of the program in it."""

    name: str
    desk: ProcessMark
    program: str


def new_name() -> str:
    """The name of a container of ours; none has had it before."""
    return f"kiro-core-{uuid4().hex}"


def labels_of(name: str, command: Command) -> dict[str, str]:
    """What a container of this desk and of that name is labelled with."""
    return {DESK: "/".join(map(str, (name, *mark_of(os.getpid())))), PROGRAM: PurePath(command.argv[0]).name}


def listed(output: str) -> Iterator[Listed]:
    """What `docker ps` shows in `FORMAT`; a line that is none of ours, to the letter, is left out."""
    for line in output.splitlines():
        if ours := _LINE.fullmatch(line):
            name, pid, started, boot, namespace, program = ours.groups()
            yield Listed(name, ProcessMark(int(pid), started, boot, namespace), program)
