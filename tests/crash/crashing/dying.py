"""Makes a process end itself with SIGKILL at a given write boundary, so that each such moment is tried in its turn.

It needs no tracer and no privilege: whatever changes a file, a pipe or the processes goes through functions of `os`,
and those are counted. Each call is a step, and a write of more than one byte is another one in its middle. What is
written by a file object of Python is counted where the file is opened, before and after.
"""

import builtins
import io
import itertools
import os
import signal
import subprocess
from functools import wraps

_WRITES = ("write", "pwrite")
_WHOLE = ("fsync", "fdatasync", "ftruncate", "rename", "replace", "unlink", "remove", "mkdir", "rmdir", "link")
_last = 0
_steps = itertools.count(1)


def install():
    """Count from now on; before the modules are imported that are to be watched, since those may keep a function."""
    for name in _WRITES:
        setattr(os, name, _in_two(getattr(os, name)))
    for name in _WHOLE:
        if hasattr(os, name):
            setattr(os, name, _counted(getattr(os, name)))
    subprocess._fork_exec = _counted(subprocess._fork_exec)
    io.open = builtins.open = _around(io.open)


def die_at(step):
    """End this process at that step, counted from here; 0 stands for never."""
    global _last, _steps
    _last, _steps = step, itertools.count(1)


def _step():
    if next(_steps) == _last:
        os.kill(os.getpid(), signal.SIGKILL)


def _counted(call):
    @wraps(call)
    def counted(*arguments, **named):
        _step()
        return call(*arguments, **named)

    return counted


def _in_two(write):
    @wraps(write)
    def cut(fd, data, *offset):
        _step()
        if len(data) > 1 and next(_steps) == _last:
            write(fd, bytes(data[: len(data) // 2]), *offset)
            os.kill(os.getpid(), signal.SIGKILL)
        return write(fd, data, *offset)

    return cut


def _around(open_file):
    @wraps(open_file)
    def opened(file, mode="r", *arguments, **named):
        writes = not isinstance(file, int) and not set(mode).isdisjoint("wax+")
        if writes:
            _step()
        result = open_file(file, mode, *arguments, **named)
        if writes:
            _step()
        return result

    return opened
