"""Find out whether a file system keeps its locks, before anything is written that only they protect.

On some network and FUSE mounts a lock is granted to everybody, or holds within one process or
machine only. Then two owners would write one log.
"""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec

from kiro_core.errors import Unavailable
from kiro_core.processes import boot_id
from kiro_files.files import PRIVATE, make_folder, read_whole, write_all

_PROOF = ".locks"
_CHILD_S = 30
_GRANTED = 3
_CHILD = f"""
import fcntl, os, sys
try:
    fcntl.flock(os.open(sys.argv[1], os.O_RDWR), fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit(0)
sys.exit({_GRANTED})
"""
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)

_folders: set[Path] = set()
_devices: set[int] = set()


class _Proof(msgspec.Struct):
    """What a folder remembers: in this run of the machine, on this device, another process was refused."""

    boot: str
    device: int


def require_locks(folder: Path) -> None:
    """Make sure that a lock in this folder keeps everybody else out; made when missing, asked once a process.

    Another process is tried once a device and run of the machine.

    Raises:
        Unavailable: it does not.
        OSError: it cannot be found out.

    """
    if folder in _folders:
        return
    make_folder(folder)
    proof = _Proof(boot_id(), folder.stat().st_dev)
    _probe(folder, proof)
    _devices.add(proof.device)
    _folders.add(folder)


def _probe(folder: Path, proof: _Proof) -> None:
    remembered = _remembered(folder) == proof
    known = remembered or proof.device in _devices
    fd, name = tempfile.mkstemp(prefix=f"{_PROOF}-", dir=folder)
    try:
        os.fchmod(fd, PRIVATE)
        if not _take(fd, folder) or _second(name, folder) or not (known or _other_is_refused(name)):
            raise _refused(folder)
        if proof.boot and not remembered:
            write_all(fd, msgspec.json.encode(proof))
            Path(name).replace(folder / _PROOF)
    finally:
        os.close(fd)
        Path(name).unlink(missing_ok=True)


def _take(fd: int, folder: Path) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise _refused(folder) from error
        raise
    return True


def _second(name: str, folder: Path) -> bool:
    """Whether the lock is granted once more, to another descriptor of this process."""
    fd = os.open(name, os.O_RDWR | os.O_CLOEXEC)
    try:
        return _take(fd, folder)
    finally:
        os.close(fd)


def _other_is_refused(name: str) -> bool:
    try:
        status = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", "-c", _CHILD, name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_CHILD_S,
            check=False,
            process_group=0,  # a Ctrl-C at the terminal is for us
        ).returncode
    except subprocess.TimeoutExpired as error:
        raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)) from error
    if status not in (0, _GRANTED):
        raise OSError(errno.ECHILD, f"the program that tries its locks ended with status {status}")
    return status == 0


def _remembered(folder: Path) -> _Proof | None:
    with suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.json.decode(read_whole(folder / _PROOF), type=_Proof)
    return None


def _refused(folder: Path) -> Unavailable:
    return Unavailable(
        f"The file system of {folder} does not keep its locks, so that two programs could write one session at a time.",
        hint="Set store.root to a folder on a local disk, or mount this one with locks that hold for all its clients.",
        root=str(folder),
    )
