"""Turn a command into a running child with three pipes, or into a sentence that says why not."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from kiro_core.descriptors import restore_descriptor_limit
from kiro_core.errors import LaunchFailed
from kiro_core.types import Command
from kiro_local.ending import ending

_MORE_FILES = "Close sessions, or allow more open files (ulimit -n) before you start it again."
_ROOM: Mapping[int | None, str] = {
    errno.EMFILE: _MORE_FILES,
    errno.ENFILE: _MORE_FILES,
    errno.EAGAIN: "Close sessions or end other programs, or allow more processes (ulimit -u).",
    errno.ENOMEM: "Close sessions or end other programs: the machine is out of memory.",
}
"""What to do when the system has no room for another process."""


@dataclass(frozen=True, slots=True)
class Child:
    """A process that leads a session and group of its own, and our descriptors for it.

    `stdin`, `stdout` and `stderr` are our non-blocking ends; `ending` becomes readable when it has
    ended. Whoever takes the child closes them. Of one whose `listens` is False stdin and stderr have
    nobody at the other end.
    """

    popen: subprocess.Popen[bytes]
    stdin: int
    stdout: int
    stderr: int
    ending: int
    listens: bool


def start(command: Command, env: Mapping[str, str]) -> Child:
    """Start a command with exactly this environment.

    Raises:
        LaunchFailed: the program or the working directory is missing, or the system refuses.

    """
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        raise _failed(
            command,
            "This process ignores SIGCHLD, so it cannot learn how a program ends.",
            "Call signal.signal(signal.SIGCHLD, signal.SIG_DFL), or start it from a program that does not ignore it.",
        )
    program = _program(command, env)
    try:
        return _start([program, *command.argv[1:]], command, env)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        hint = _ROOM.get(getattr(error, "errno", None), "Run it by hand to see what it lacks.")
        raise _failed(command, f"{program} did not start: {reason}.", hint) from error


def _start(argv: Sequence[str], command: Command, env: Mapping[str, str]) -> Child:
    listens = not command.output_only
    with ExitStack() as theirs, ExitStack() as ours:
        their_stdin, stdin = _pipe(theirs, ours, into_child=True)
        their_stdout, stdout = _pipe(theirs, ours, into_child=False)
        their_stderr, stderr = _pipe(theirs, ours, into_child=False)
        popen = subprocess.Popen(  # noqa: S603 - starting what the settings name is our purpose; no shell
            argv,
            cwd=command.cwd,
            env=env,
            stdin=their_stdin if listens else subprocess.DEVNULL,
            stdout=their_stdout,
            stderr=their_stderr if listens else subprocess.STDOUT,
            start_new_session=True,
        )
        restore_descriptor_limit(popen.pid)
        try:
            child = Child(popen, stdin, stdout, stderr, ending(popen), listens)
        except OSError:
            os.killpg(popen.pid, signal.SIGKILL)
            popen.wait()
            raise
        ours.pop_all()
        return child


def _pipe(theirs: ExitStack, ours: ExitStack, *, into_child: bool) -> tuple[int, int]:
    """A pipe as (the child's end, our non-blocking end), each closed by its stack."""
    reading, writing = os.pipe()
    their_end, our_end = (reading, writing) if into_child else (writing, reading)
    theirs.callback(os.close, their_end)
    ours.callback(os.close, our_end)
    os.set_blocking(our_end, False)
    return their_end, our_end


def _program(command: Command, env: Mapping[str, str]) -> str:
    """The absolute path of the program: from the child's `PATH`, or from its folder where it has a slash."""
    if not Path(command.cwd).is_dir():
        raise _failed(command, f"The working directory {command.cwd} does not exist.", "Name a folder that exists.")
    name = command.argv[0]
    wanted = str(Path(command.cwd) / name) if os.sep in name else name
    path = env.get("PATH", os.defpath)
    if found := shutil.which(wanted, path=path):
        return str(Path(found).absolute())
    if other := shutil.which(wanted, mode=os.F_OK, path=path):
        raise _failed(command, f"{other} is not executable.", f"Make it executable: chmod +x {other}")
    raise _failed(
        command, f"There is no program {name!r}.", "Install it, or write its full path into the engine's command."
    )


def _failed(command: Command, sentence: str, hint: str) -> LaunchFailed:
    return LaunchFailed(sentence, hint=hint, command=list(command.argv), cwd=command.cwd)
