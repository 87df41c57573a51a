"""Behaves as docker does for `run`, `kill`, `rm` and `ps`; a container is a tree of processes of this machine.

As with docker, killing `docker run` does not end the container, a container ends with its first program, whatever else
runs in it, and it inherits nothing of the environment. It is called with the folder of its state, in which `image` has
the programs of every image, and then as docker is. It needs Linux, where the kernel hands it what has lost its parent.
"""

import argparse
import ctypes
import fcntl
import json
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

_SUBREAPER = 36


def main(state, argv):
    with (state / "calls").open("a") as calls:
        calls.write(json.dumps({"pid": os.getpid(), "argv": argv, "env": dict(os.environ)}) + "\n")
    if (state / "down").exists():
        return refused("Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", 1)
    return {"run": run, "kill": kill, "rm": remove, "ps": listed}[argv[0]](state, argv[1:])


def run(state, argv):
    parser = argparse.ArgumentParser()
    for flag in ("--rm", "--init", "--interactive"):
        parser.add_argument(flag, action="store_true")
    for option in ("--label", "--mount", "--volume"):
        parser.add_argument(option, action="append", default=[])
    for option in ("--name", "--workdir", "--network", "--user", "--cpus", "--env-file"):
        parser.add_argument(option)
    parser.add_argument("image")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    told = parser.parse_args(argv)
    if told.image == "missing":
        print("Unable to find image 'missing:latest' locally", file=sys.stderr)
        return refused("pull access denied for missing, repository does not exist.", 125, "docker: ")
    env = {"PATH": f"{state / 'image'}{os.pathsep}{os.defpath}"}
    for line in Path(told.env_file).read_bytes().decode().split("\n"):
        name, given, value = line.removesuffix("\r").lstrip().partition("=")
        if name and not name.startswith("#"):
            env[name] = value if given else os.environ[name]
    os.chdir(told.workdir)
    program = shutil.which(told.command[0], path=env["PATH"])
    if program is None:
        there = Path(told.command[0]).exists()
        words = "Permission denied" if there else "No such file or directory"
        print(f"[FATAL tini (7)] exec {told.command[0]} failed: {words}", file=sys.stderr)
        return 126 if there else 127
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        contain(state, told, program, env, writing)
    os.close(writing)
    return int(os.read(reading, 16) or b"125")


def contain(state, told, program, env, ended):
    """Be what the daemon is to one container: its life does not depend on who asked for it."""
    os.setsid()
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)
    first = os.fork()
    if first == 0:
        os.close(ended)
        if not told.interactive:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.setsid()
        os.execve(program, told.command, env)
    file = state / told.name
    labels = dict(label.split("=", 1) for label in told.label)
    living = file.with_suffix(".new").open("w")
    fcntl.flock(living, fcntl.LOCK_EX)  # it is let go at the end, for which `rm` waits
    living.write(json.dumps({"labels": labels, "first": first}))
    living.flush()
    file.with_suffix(".new").rename(file)
    for fd in range(3):
        os.dup2(os.open(os.devnull, os.O_RDWR), fd)
    status = 0
    with suppress(ChildProcessError):
        while True:
            pid, how = os.wait()
            if pid == first:
                status, first = os.waitstatus_to_exitcode(how), 0
            if not first:
                for child in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
                    os.kill(int(child), signal.SIGKILL)
    file.unlink()
    os.write(ended, b"%d" % (128 - status if status < 0 else status))
    os._exit(0)


def kill(state, argv):
    _, number, name = argv
    if not (state / name).exists():
        return refused(f"No such container: {name}", 1)
    os.kill(json.loads((state / name).read_text())["first"], getattr(signal, f"SIG{number}"))
    return 0


def remove(state, argv):
    file = state / argv[-1]
    if (state / "stuck").exists():
        return refused("could not kill: tried to kill container, but did not receive an exit event", 1)
    try:
        there = file.open()
    except FileNotFoundError:
        return refused(f"No such container: {file.name}", 1)
    with there:
        if first := json.load(there)["first"]:
            with suppress(ProcessLookupError):
                os.kill(first, signal.SIGKILL)
        else:  # nothing runs in it
            file.unlink()
        fcntl.flock(there, fcntl.LOCK_SH)
    return 0


def listed(state, argv):
    template, label = argv[argv.index("--format") + 1], argv[argv.index("--filter") + 1].removeprefix("label=")
    for file in state.iterdir():
        if file.name in ("calls", "image", "down", "stuck") or file.suffix == ".new":
            continue
        labels = json.loads(file.read_text())["labels"]
        if label in labels:
            line = template.replace("{{.Names}}", file.name)
            for name, value in labels.items():
                line = line.replace('{{.Label "%s"}}' % name, value)  # noqa: UP031 - braces
            print(line)
    return 0


def refused(words, status, speaker=""):
    print(f"{speaker}Error response from daemon: {words}", file=sys.stderr)
    if status == 125:
        print("\nRun 'docker run --help' for more information", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
