"""Runs the Python of the pages: each block as a program of its own, in a fork of a process that has imported most.

On stdin is a JSON array of `{"name", "text", "folder"}`; on stdout one of `{"name", "status", "stdout", "stderr"}`.
"""

import json
import os
import signal
import sys
from importlib import import_module
from pathlib import Path

IMPORTED = ("anyio", "pytest", "pydantic", "kiro_core", "kiro_core.dispatcher", "kiro_core.testing", "kiro_core.types")
BOUND_S = 30


def main():
    """Run them one after the other."""
    programs = json.load(sys.stdin)
    for name in IMPORTED:
        import_module(name)
    json.dump([ran(**program) for program in programs], sys.stdout)


def ran(name, text, folder):
    """Run one, in a folder and home that are its own; what became of it."""
    root = Path(folder)
    home, work = root / "home", root / "work"
    home.mkdir()
    work.mkdir()
    if not (pid := os.fork()):
        signal.alarm(BOUND_S)
        os.environ |= {"HOME": str(home), "KIRO_HOME": str(home / ".kiro")}
        os.chdir(work)
        for fd, stream in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(root / stream, os.O_WRONLY | os.O_CREAT), fd)
        os._exit(become(root / "program.py", text))
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    told = {stream: (root / stream).read_text() for stream in ("stdout", "stderr")}
    return {"name": name, "status": status, **told}


def become(path, text):
    """Be the program; its exit code."""
    path.write_text(text)
    try:
        exec(compile(text, path, "exec"), {"__name__": "__main__", "__file__": str(path)})
    except BaseException:  # noqa: BLE001 - whatever it ends with is its end, and not ours
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    main()
