"""One served desk a store: the kernel's lock says who it is, and ends with its process."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiro_core.control.places import make_folder, served_socket
from kiro_core.errors import Held, Unavailable

if TYPE_CHECKING:
    from kiro_core.registry import Registry
    from kiro_core.settings import Settings


@contextmanager
def claim_served(settings: Settings, registry: Registry) -> Iterator[Path]:
    """Be the served desk of a store; the path of its socket.

    Raises on entering:
        Held: another process is; `details["owner"]` is `{pid, since}`.
        Unavailable: the folder of the sockets cannot be used.
        UnknownName, SettingsError: there is no such store.

    """
    path = served_socket(settings, registry)
    make_folder(path.parent)
    try:
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Unavailable(f"The lock of {path} cannot be opened: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _refusal(lock) from error
        since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        os.ftruncate(lock, 0)
        os.pwrite(lock, json.dumps({"pid": os.getpid(), "since": since}).encode(), 0)
        yield path
    finally:
        os.close(lock)


def who_serves(path: Path) -> dict[str, Any] | None:
    """The process that holds the served socket at `path`, `{pid, since}` as far as it says; None for nobody."""
    try:
        lock = os.open(path.with_suffix(".lock"), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _owner(lock)
    finally:
        os.close(lock)
    return None


def _owner(lock: int) -> dict[str, Any]:
    try:
        read = json.loads(os.pread(lock, 4096, 0))
        return {"pid": int(read["pid"]), "since": str(read["since"])}
    except (ValueError, KeyError, TypeError):
        # It was made a moment ago and does not say yet.
        return {}


def _refusal(lock: int) -> Held:
    owner = _owner(lock)
    who = f"pid {owner['pid']} since {owner['since']}" if owner else "another process"
    return Held(
        f"A desk serves these sessions already: {who}.",
        hint="Use that one, or end it first: `kiro-core serve stop`.",
        owner=owner,
    )
