"""Makes a disk fail for a log that is open, without any privilege and for root too, and mends it again."""

import json
import os
import resource
import socket
from contextlib import suppress
from pathlib import Path

from crashing.editor import BOUND_S, FRAIL, PROGRAM


class BrokenLog:
    """Puts another file behind every descriptor of a log in this process; the locks stay where they are."""

    def __init__(self):
        self._own = {}

    def replace(self, log, other):
        """From now on what is written to the log goes to `other`, a full device or a file that is open for reading."""
        failing = os.open(other, os.O_RDWR if other == "/dev/full" else os.O_RDONLY)
        for fd in _descriptors_of(log):
            self._own[fd] = os.dup(fd)
            os.dup2(failing, fd, inheritable=False)
        os.close(failing)

    def own(self, fd):
        """The descriptor that leads to the log itself."""
        return self._own.get(fd, fd)

    def mend(self):
        """Put the log back."""
        for fd, own in self._own.items():
            os.dup2(own, fd, inheritable=False)
            os.close(own)
        self._own.clear()


class Limit:
    """Lets no file of a desk grow beyond what its log has now; `started` is what the editor starts it with."""

    program = PROGRAM

    def __init__(self):
        self.started = {}

    def strike(self, editor, log):
        """Begin to fail."""
        self._set(editor, log.stat().st_size)

    def mend(self, editor):
        """Work again."""
        self._set(editor, None)

    def close(self):
        """Nothing of it is left."""

    def _set(self, editor, size):
        _, hard = resource.prlimit(editor.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(editor.process.pid, resource.RLIMIT_FSIZE, (hard if size is None else size, hard))


class Descriptor:
    """Puts another file behind the log's descriptor of a desk."""

    program = FRAIL

    def __init__(self, other):
        self._other = other
        self._orders, self._theirs = socket.socketpair()
        self._orders.settimeout(BOUND_S)
        self.started = {"pass_fds": (self._theirs.fileno(),), "CRASH_ORDERS": str(self._theirs.fileno())}

    def strike(self, editor, log):
        """Begin to fail."""
        self._order("replace", str(log), self._other)

    def mend(self, editor):
        """Work again."""
        self._order("mend")

    def close(self):
        """Give the socket back."""
        self._orders.close()
        self._theirs.close()

    def _order(self, *words):
        self._orders.send(json.dumps(words).encode())
        assert self._orders.recv(10) == b"done"


def _descriptors_of(path):
    identity = Path(path).stat()
    found = []
    for fd in range(3, 1024):
        with suppress(OSError):
            if os.path.samestat(os.fstat(fd), identity):
                found.append(fd)
    return found
