"""What `docker run` is told of a command: all in its arguments but the values of variables, which may be secrets."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kiro_core.errors import LaunchFailed
from kiro_core.types import Command

from . import DockerOptions

_PLAIN = frozenset({"PATH", "HOME"})
"""Docker itself looks things up by them, so they cannot be passed on in its environment; they are no secrets."""

_DOCKERS = ("DOCKER_", "CONTAINER_", "CONTAINERS_")


class Run(NamedTuple):
    """The arguments of the program and the environment that it gets."""

    arguments: list[str]
    env: dict[str, str]


def run_of(command: Command, options: DockerOptions, name: str, labels: Mapping[str, str]) -> Run:
    """How a command is run in a container of that name, with its working directory at the same place in there.

    Raises:
        LaunchFailed: it has a variable that cannot be passed on.

    """
    variables = _variables(command, options)
    arguments = ["run", "--rm", "--name", name]
    # An init in front of the program, since the kernel hides signals from the first process of a container.
    arguments += ["--init"]
    arguments += [] if command.output_only else ["--interactive"]
    arguments += _each("--label", (f"{label}={value}" for label, value in labels.items()))
    arguments += ["--mount", _bound(command.cwd), "--workdir", command.cwd]
    arguments += ["--network", options.network] if options.network else []
    arguments += ["--user", options.user] if options.user else []
    arguments += _each("--volume", iter(options.mounts))
    arguments += _each("--env", (f"{name}={value}" if name in _PLAIN else name for name, value in variables.items()))
    arguments += [*options.arguments, options.image, *_program(command)]
    hidden = {name: value for name, value in variables.items() if name not in _PLAIN}
    return Run(arguments, os.environ | hidden)


def _variables(command: Command, options: DockerOptions) -> dict[str, str]:
    """A container inherits nothing, so there is nothing to take away but what the options would pass through."""
    passed = {name: os.environ[name] for name in options.pass_through if name in os.environ}
    kept = {name: value for name, value in passed.items() if name not in command.unset}
    variables = kept | options.env | dict(command.env)
    for name in variables:
        if name.startswith(_DOCKERS):
            raise LaunchFailed(
                f"The variable {name} cannot be passed on: {options.program} itself would follow it.",
                hint="Set it in the image, or with `arguments` of the launcher.",
            )
    return variables


def _program(command: Command) -> list[str]:
    """What is run in there; docker carries stdout and stderr apart, so where they are to be one a shell joins them."""
    return ["sh", "-c", 'exec "$@" 2>&1', "sh", *command.argv] if command.output_only else list(command.argv)


def _bound(folder: str) -> str:
    """The value of `--mount`, which is a line of CSV. Other than `--volume` it makes no folder that is missing."""
    escaped = folder.replace('"', '""')
    return f'type=bind,"source={escaped}","target={escaped}"'


def _each(option: str, values: Iterator[str]) -> list[str]:
    return [part for value in values for part in (option, value)]
