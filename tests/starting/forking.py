"""The process that has imported everything of the program already, and forks whenever `warm.py` wants one started.

All else is as if the program had been started: streams, folder, environment, arguments and exit code.
"""

import atexit
import fcntl
import gc
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import termios
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path

_OURS = ("kiro_core", "kiro_acp", "kiro_agents", "kiro_files", "kiro_http", "kiro_local")
_COLD = ("kiro_core.testing", "kiro_core.cli.mcp")
"""What few commands need and makes every fork slower, such as the SDK of MCP."""
_OF_MCP = ("kiro_core.cli.mcp", "kiro_mcp")
_LATE = ("anyio._backends._asyncio", "prompt_toolkit", "rich.box", "rich.console", "rich.table", "rich.text")


def main():
    """Fork as told, until the place where we are found is gone; returns in a fork alone."""
    folder, family = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as listening, Path(folder, "life").open("rb", buffering=0) as life:
        listening.bind(f"{folder}/{family}")
        listening.listen(128)
        if os.fork():
            os._exit(0)  # tests of other things count the children of theirs: this one is nobody's
        _warm_up(_OURS, _COLD)
        for name in _LATE:
            import_module(name)
        if family == "mcp":
            _warm_up(_OF_MCP, ())
        _keep()
        forked = _fork_as_told(listening, life)
    if forked is None:
        os._exit(0)
    _become(*forked)


def _fork_as_told(listening, life):
    """In a fork what it is to become; None at the end of `life`."""
    # A signal that comes between two looks and a wait is not lost: it has written a byte by then.
    woken, bell = socket.socketpair()
    with woken, bell:
        os.set_blocking(bell.fileno(), False)
        signal.set_wakeup_fd(bell.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        running = {}
        while life not in (ready := select.select([listening, woken, life], [], [])[0]):
            if woken in ready:
                woken.recv(4096)
                _tell_ended(running)
            if listening in ready and (forked := _forked(listening.accept()[0], running)):
                signal.set_wakeup_fd(-1)
                return forked
    return None


def _forked(told, running):
    """In a fork its order and its streams; None in the process that forks, which keeps `told` for its end."""
    line, fds, _, _ = socket.recv_fds(told, 65536, 3)
    while not line.endswith(b"\n"):
        line += told.recv(65536)
    if pid := os.fork():
        running[pid] = told
        with suppress(BrokenPipeError):
            told.sendall(b"%d\n" % pid)
        for fd in fds:
            os.close(fd)
        return None
    for inherited in (told, *running.values()):
        inherited.close()
    return json.loads(line), fds


def _warm_up(packages, cold):
    """Import all that they have."""
    for name in packages:
        for module in pkgutil.walk_packages(import_module(name).__path__, f"{name}."):
            if not module.name.startswith(cold) and not module.name.endswith("__main__"):
                import_module(module.name)


def _keep():
    """Keep the collector from all that is imported, so that the forks share its memory."""
    gc.collect()
    gc.freeze()


def _tell_ended(running):
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with suppress(BrokenPipeError), running.pop(ended[0]) as told:
                told.sendall(b"%d\n" % os.waitstatus_to_exitcode(ended[1]))


def _become(order, streams):
    """Let this process be as if the program had been started in it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if order["leads"]:
        os.setsid()
    for number, fd in enumerate(streams):
        os.dup2(fd, number)
        os.close(fd)
    if order["leads"] and os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if os.isatty(1):
        sys.stdout.reconfigure(line_buffering=True)  # as Python does it when it starts there
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.path[:0] = filter(None, order["env"].get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = order["command"]


def _end(code):
    """End as the interpreter does, but leave the modules as they are, whose end takes nine tenths of a fork's time.

    Raises:
        OSError: something cannot be written; the interpreter's own end says so.

    """
    threading._shutdown()
    atexit._run_exitfuncs()
    gc.collect()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    main()
    from kiro_core.cli import main as command

    try:
        command()
    except SystemExit as ended:
        with suppress(OSError):
            _end(ended.code)
        raise
