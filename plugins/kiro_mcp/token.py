"""The secret that HTTP clients send: made once, and in a file that nobody else can read."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path

from kiro_core.errors import SettingsError

_SHORTEST = 16
_MOST_BYTES = 4096
_HINT = "Remove the file: a new one is made at the next start."


def token_file(chosen: str) -> Path:
    """Where the token is: the setting `token_file`, else `$KIRO_HOME/mcp-token`."""
    if chosen:
        return Path(chosen).expanduser().absolute()
    return Path(os.environ.get("KIRO_HOME") or "~/.kiro").expanduser().absolute() / "mcp-token"


def token_at(path: Path) -> str:
    """The token in a file, which is made with a new one where there is none; two that start at once agree.

    Raises:
        SettingsError: the file can be read by others, is a link, is empty or no token, or cannot be read or made.

    """
    try:
        if not os.path.lexists(path):
            _make(path)
        return _read(path)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise SettingsError(f"The token file {path} is a symbolic link.", hint=_HINT) from error
        raise SettingsError(
            f"The token file {path} cannot be used: {error.strerror}.",
            hint="Name another one with token_file in the options of mcp.",
        ) from error


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        os.link(new, path)
    except FileExistsError:
        return  # somebody else was first
    finally:
        new.unlink(missing_ok=True)


def _read(path: Path) -> str:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise SettingsError(f"The token file {path} is no file of this user.", hint=_HINT)
        if status.st_mode & 0o077:
            raise SettingsError(f"The token file {path} can be used by others.", hint=_HINT)
        token = os.read(fd, _MOST_BYTES).strip().decode("ascii", "replace")
    finally:
        os.close(fd)
    if len(token) < _SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise SettingsError(
            f"The token file {path} holds no token: at least {_SHORTEST} visible ASCII characters.", hint=_HINT
        )
    return token
