"""Where the desks of a user can be reached: sockets in one folder, which belongs to that user alone."""

from __future__ import annotations

import os
import re
import secrets
import socket
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiro_core.errors import Unavailable
from kiro_core.settings import kiro_home

if TYPE_CHECKING:
    from kiro_core.registry import Registry
    from kiro_core.settings import Settings

_PATH_BYTES = 107 if sys.platform == "linux" else 103
"""What fits into `sun_path` in front of its zero (unix(7))."""
_NAME_BYTES = 32
_SERVED = re.compile(r"[0-9a-f]{16}\.sock")
_OWN = re.compile(r"(\d+)-[0-9a-f]{8}\.sock(\.new)?")


def desks_folder() -> Path:
    """`$KIRO_HOME/run/desks`; where only a short path can be bound, a folder for it in /tmp."""
    folder = (kiro_home(os.environ) / "run" / "desks").absolute()
    if sys.platform == "linux" or len(os.fsencode(folder)) < _PATH_BYTES - _NAME_BYTES:
        return folder
    # Every process of the user has to find the same one, so not $TMPDIR; whose it is gets checked.
    return Path(f"/tmp/kiro-{os.geteuid()}-{sha256(os.fsencode(folder)).hexdigest()[:8]}")  # noqa: S108


def own_socket() -> Path:
    """A path for the socket of this process."""
    return desks_folder() / f"{os.getpid()}-{secrets.token_hex(4)}.sock"


def served_socket(settings: Settings, registry: Registry) -> Path:
    """The path at which the served desk of a store listens: the same for all that have the same store.

    Raises:
        UnknownName, SettingsError: the settings choose no store, or one with options that are not valid.

    """
    # The same for every user whose store is at the same place of its own, so that a unit can name the socket.
    home = str(kiro_home(os.environ).resolve())
    identity = registry.stores.identity(settings.store).replace(home, "$KIRO_HOME")
    return desks_folder() / f"{sha256(identity.encode()).hexdigest()[:16]}.sock"


def socket_of(owner: Mapping[str, Any]) -> Path | None:
    """Where the desk of an owner (`Held.details["owner"]`) listens, if it runs on this machine and says so."""
    path = owner.get("socket")
    if not path or not isinstance(path, str) or owner.get("host") != os.uname().nodename:
        return None
    return Path(path)


def served_sockets() -> list[Path]:
    """Those of all desks that are served now, of whatever store."""
    try:
        found = sorted(path for path in desks_folder().iterdir() if _SERVED.fullmatch(path.name))
    except OSError:
        return []
    return [path for path in found if listens(path)]


def make_folder(folder: Path) -> None:
    """Make sure that the folder is there, and nobody else's.

    Raises:
        Unavailable: it cannot be made, or others could put something into it.

    """
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise Unavailable(f"The folder {folder} for the sockets of desks cannot be made: {error.strerror}.") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise Unavailable(
            f"The folder {folder} for the sockets of desks is not this user's alone.",
            hint="A socket belongs into a folder of yours with the mode 0700.",
        )


def remove_stale(folder: Path) -> None:
    """Remove the sockets that killed desks have left; what may be in use stays."""
    with suppress(OSError):
        for path in folder.iterdir():
            if (own := _OWN.fullmatch(path.name)) and not _runs(int(own[1])) and not listens(path):
                path.unlink(missing_ok=True)


@contextmanager
def address(path: Path) -> Iterator[str]:
    """A name for that path that can be bound and connected, also where the path is too long for a socket.

    Raises:
        OSError: there is no such folder, or no other name for it.

    """
    if len(os.fsencode(path)) <= _PATH_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def connect(path: Path) -> socket.socket:
    """A connection to whoever listens there, which does not block.

    Raises:
        OSError: nobody does, or too many wait to be heard.

    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(0)
        with address(path) as name:
            connection.connect(name)
    except BaseException:
        connection.close()
        raise
    return connection


def listens(path: Path) -> bool:
    """Whether somebody listens at that path, as far as that can be told."""
    try:
        connect(path).close()
    except (ConnectionRefusedError, FileNotFoundError):
        return False
    except OSError:
        return True
    return True


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
