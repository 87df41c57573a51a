"""Keeps what a probe learned of each agent program, since the table that comes with this program grows old."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from kiro_core.types import Engine, PeerInfo

_LOG = logging.getLogger(__name__)
_PROBED = ", probed here"


class Learned(msgspec.Struct, frozen=True):
    """What a program said of itself in `initialize`, and on which day (`YYYY-MM-DD`).

    `command` is the SHA-256 of the argv that was started: an argument may be a secret.
    """

    command: str
    day: str
    name: str
    version: str
    abilities: tuple[str, ...]
    logins: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, command: Sequence[str], info: PeerInfo, day: str) -> Learned:
        """From the answer to `initialize`."""
        return cls(_digest(command), day, info.name, info.version, tuple(sorted(info.abilities)), tuple(info.logins))


def read_learned(path: Path) -> Mapping[str, Learned]:
    """What is known by engine; a damaged file is told in the log and counts as empty, since it can be learned again."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Learned])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        _LOG.warning("%s cannot be read and is ignored: %s. `kiro-core engines --probe NAME` mends it.", path, error)
        return {}


def write_learned(path: Path, engine: str, learned: Learned) -> None:
    """Add or replace one engine's entry.

    Raises:
        OSError: the file cannot be written.

    """
    from kiro_core.settings.files import replace_file

    entries = {**read_learned(path), engine: learned}
    replace_file(path, msgspec.json.format(msgspec.json.encode(entries), indent=2) + b"\n")


def corrected(engine: Engine, learned: Learned | None) -> Engine:
    """The entry with what was learned of it, unless that was with another command.

    One that is logged in may tell no way to log in: then what was known of that stays.
    """
    if learned is None or learned.command != _digest(engine.command):
        return engine
    return replace(
        engine,
        version=learned.version or engine.version,
        abilities=learned.abilities,
        logins=learned.logins or engine.logins,
        seen=learned.day,
        origin=engine.origin.removesuffix(_PROBED) + _PROBED,
    )


def _digest(command: Sequence[str]) -> str:
    from hashlib import sha256  # its library takes a while to load, and most have learned nothing

    return sha256(json.dumps(list(command)).encode()).hexdigest()
