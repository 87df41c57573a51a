"""What people may set for local processes, and the environment that follows from it."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from kiro_core.types import Command
from kiro_local.belonging import COOKIE, own_launches

_MINIMAL = frozenset({"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TERM", "TMPDIR", "TZ"})
_MINIMAL_PREFIXES = ("LC_", "XDG_")


class LocalOptions(BaseModel):
    """The options of the launcher `local`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    environment: Literal["inherit", "minimal"] = Field(
        "inherit",
        description="What a process gets of our environment: all of it, or an allow list for deployments. "
        f"In both cases it also gets {COOKIE}, by which all that it starts is found and ended.",
    )
    pass_through: list[str] = Field([], description="Names of variables that are added to the allow list.")
    env: dict[str, str] = Field({}, repr=False, description="Variables that every process gets.")
    grace_s: float = Field(
        5.0,
        ge=0,
        le=60,
        description="Seconds that a process has to end once its stdin is closed: after a fifth of them it gets "
        "SIGTERM, and at their end all of it is killed.",
    )


def environment(options: LocalOptions, command: Command, launch: str) -> dict[str, str]:
    """What we hand down less what the command takes away, plus the options' variables, plus the command's.

    Whatever that says, the launch is named behind those that we are part of ourselves.
    """
    inherited = {name: value for name, value in os.environ.items() if _passes(options, name)}
    for name in command.unset:
        inherited.pop(name, None)
    return inherited | options.env | dict(command.env) | {COOKIE: ":".join([*own_launches(), launch])}


def _passes(options: LocalOptions, name: str) -> bool:
    if options.environment == "inherit":
        return True
    return name in _MINIMAL or name in options.pass_through or name.startswith(_MINIMAL_PREFIXES)
