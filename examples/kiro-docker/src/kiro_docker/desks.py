"""Which desk a container belongs to, as its labels say, so that another desk can tell whether that one still lives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import PurePath
from typing import NamedTuple

from kiro_core.processes import ProcessMark, mark_of
from kiro_core.types import Command

DESK = "kiro-core.desk"
PROGRAM = "kiro-core.program"
FORMAT = '{{.Names}} {{.Label "kiro-core.desk"}} {{.Label "kiro-core.program"}}'
"""How `docker ps` shows one container a line, for `listed`."""


class Listed(NamedTuple):
    """A container, the desk that has started it, and the name of the program in it."""

    name: str
    desk: ProcessMark
    program: str


def labels_of(command: Command) -> dict[str, str]:
    """What a container of this desk is labelled with."""
    return {DESK: "/".join(map(str, mark_of(os.getpid()))), PROGRAM: PurePath(command.argv[0]).name}


def listed(output: str) -> Iterator[Listed]:
    """What `docker ps` shows in `FORMAT`; a line that is none of ours is left out."""
    for line in output.splitlines():
        name, _, rest = line.partition(" ")
        desk, _, program = rest.partition(" ")
        pid, *proof = desk.split("/")
        if pid.isdecimal() and len(proof) == 3:
            yield Listed(name, ProcessMark(int(pid), *proof), program)
