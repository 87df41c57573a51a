"""Where the agent programs are: each in a folder of its own, since what they depend on does not go together."""

import os
from pathlib import Path

from real.programs import PROGRAMS

FOLDER = "AGENTS_FOLDER"
"""The environment variable that names the folder of all of them; without it nothing is run."""

NAMES = "AGENTS"
"""The environment variable with the names of those that are wanted, with commas; without it all are."""


def wanted():
    """The names of the agents to install and to run, every one of which must then be there."""
    return [name.strip() for name in os.environ.get(NAMES, ",".join(PROGRAMS)).split(",")]


def folder_of(name):
    """The folder of one agent in its pinned version: another pin is another folder."""
    package = PROGRAMS[name].package
    version = package.rpartition("@" if PROGRAMS[name].from_npm else "=")[2]
    return Path(os.environ[FOLDER], f"{name}-{version}")


def path_of(name):
    """The folder that has its program."""
    return folder_of(name) / ("node_modules/.bin" if PROGRAMS[name].from_npm else "bin")
