"""Wait for a session that is held elsewhere: the kernel wakes who waits, so nobody asks again and again."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import anyio

from kiro_files.files import Files

# Taking the lock is the only way to learn that it is free, and it blocks: a thread that blocks cannot be
# taken back, a process can. The lock is shared, for many may wait, and is given back at once. It ends
# with us too: then its stdin ends.
_WAITER = """
import fcntl, os, threading
threading.Thread(target=lambda: (os.read(0, 1), os._exit(1)), daemon=True).start()
fcntl.flock({lock}, fcntl.LOCK_SH)
fcntl.flock({lock}, fcntl.LOCK_UN)
os.write(1, b"free")
os._exit(0)
"""


async def wait_until_free(files: Files) -> None:
    """Wait until the session has no owner; one that was never held is free.

    Raises:
        OSError: nobody can wait here, since the file system knows no locks or no process can be started.

    """
    try:
        lock = os.open(files.lock, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        waiter = _start(lock)
    finally:
        os.close(lock)
    with waiter:
        try:
            if waiter.stdout is not None:
                await anyio.wait_readable(waiter.stdout)
                told = waiter.stdout.read(1)
        finally:
            waiter.kill()
    if not told:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def _start(lock: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-I", "-S", "-c", _WAITER.format(lock=lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(lock,),
        process_group=0,  # a Ctrl-C at the terminal is for us
    )
