"""What `docker run` is told of a command, whose variables are the agent's to choose: docker itself must follow none.

So docker's own environment stays ours alone. A variable such as LD_PRELOAD would make it load a library that the agent
has written, HTTP_PROXY and DOCKER_HOST would send it elsewhere, and no list of such names is ever complete.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from tempfile import TemporaryFile
from typing import IO

from kiro_core.errors import LaunchFailed
from kiro_core.types import Command

from . import DockerOptions

_LINE_BYTES = 2**16
"""Docker reads no line of a file that is as long as this."""


def arguments_of(
    command: Command, options: DockerOptions, name: str, labels: Mapping[str, str], variables: int
) -> list[str]:
    """How a command is run in a container of that name, with its working directory at the same place in there.

    `variables` is the descriptor of what `variables_of` gives.
    """
    arguments = ["run", "--rm", "--name", name]
    # An init in front of the program, since the kernel hides signals from the first process of a container.
    arguments += ["--init"]
    arguments += [] if command.output_only else ["--interactive"]
    arguments += _each("--label", (f"{label}={value}" for label, value in labels.items()))
    arguments += ["--mount", _bound(command.cwd), "--workdir", command.cwd]
    arguments += ["--network", options.network] if options.network else []
    arguments += ["--user", options.user] if options.user else []
    arguments += _each("--volume", iter(options.mounts))
    arguments += ["--env-file", f"/dev/fd/{variables}"]
    return [*arguments, *options.arguments, options.image, *_program(command)]


def variables_of(command: Command, options: DockerOptions) -> IO[bytes]:
    """A file with the variables of a container, as `--env-file` takes them: one a line, the value as it is.

    It has no name, so that nobody else can open it; where the system can, it is never on a disk. A container inherits
    nothing, so there is nothing to take away but what the options would pass through.

    Raises:
        LaunchFailed: a line cannot say one of them.

    """
    passed = {name: os.environ[name] for name in options.pass_through if name in os.environ}
    kept = {name: value for name, value in passed.items() if name not in command.unset}
    lines = [_line(name, value) for name, value in (kept | options.env | dict(command.env)).items()]
    file: IO[bytes] = open(os.memfd_create("variables"), "w+b") if sys.platform == "linux" else TemporaryFile()
    file.write(b"".join(lines))
    file.seek(0)
    return file


def _line(name: str, value: str) -> bytes:
    # Without a name in front of "=" it would be a comment, or bring in a variable of docker's own environment.
    sayable = name.isprintable() and re.fullmatch("[^ =#][^ =]*", name) and not re.search("[\n\r\0]", value)
    try:
        line = f"{name}={value}\n".encode()
    except UnicodeEncodeError:
        sayable = None
    if not sayable or len(line) >= _LINE_BYTES:
        raise LaunchFailed(
            f"The variable {name!r} cannot be passed on: a line of `--env-file` cannot say it.",
            hint="Set it in the image, or mount a file; this takes a line of UTF-8 below 64 KiB, no blank in its name.",
        )
    return line


def _program(command: Command) -> list[str]:
    """What is run in there; docker carries stdout and stderr apart, so where they are to be one a shell joins them."""
    return ["sh", "-c", 'exec "$@" 2>&1', "sh", *command.argv] if command.output_only else list(command.argv)


def _bound(folder: str) -> str:
    """The value of `--mount`, which is a line of CSV. Other than `--volume` it makes no folder that is missing."""
    escaped = folder.replace('"', '""')
    return f'type=bind,"source={escaped}","target={escaped}"'


def _each(option: str, values: Iterator[str]) -> list[str]:
    return [part for value in values for part in (option, value)]
