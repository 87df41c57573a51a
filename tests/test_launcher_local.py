"""The launcher `local` with real processes, by pidfd and by the reaper thread."""

import json
import os
import signal
import sys
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from anyio.lowlevel import checkpoint
from pydantic import ValidationError

from kiro_core.errors import EndingFailed, LaunchFailed
from kiro_core.types import Command, Exit
from kiro_local import LocalOptions, kiro_launchers

LIMIT_S = 30
PATIENT = {"grace_s": 20.0}
HASTY = {"grace_s": 0.05}

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
DEAF = (
    "import os, signal, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('up', flush=True)\n"
    "while True: time.sleep(1)"
)
# The child starts a grandchild that holds a pipe of the test open, and prints its pid.
PARENT = (
    "import subprocess, sys\n"
    "grandchild = subprocess.Popen(['sleep', '600'], stdin=subprocess.DEVNULL, stdout=open(sys.argv[1], 'w'))\n"
    "print(grandchild.pid, flush=True)\n"
)


@pytest.fixture(params=["pidfd", "reaper", "reaper without waitid"], autouse=True)
def way(request, monkeypatch):
    """Every test runs on each way to learn of a child's end."""
    if request.param != "pidfd":
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    if request.param == "reaper without waitid":
        monkeypatch.delattr(os, "waitid", raising=False)
    return request.param


def python(code, *arguments, cwd="/", **fields):
    return Command([sys.executable, "-c", code, *arguments], str(cwd), **fields)


@asynccontextmanager
async def launched(command, **options):
    (provider,) = kiro_launchers()
    with anyio.fail_after(LIMIT_S):
        async with provider.open(provider.options(**options)) as launcher, launcher.launch(command) as process:
            yield process


async def said(process):
    """All that it says until it closes its stdout."""
    words = b""
    try:
        while True:
            words += await process.receive()
    except anyio.EndOfStream:
        return words.decode()


async def line(process):
    words = b""
    while not words.endswith(b"\n"):
        words += await process.receive()
    return words.decode().strip()


async def refused(command, **options):
    with pytest.raises(LaunchFailed) as caught:
        async with launched(command, **options):
            pass
    assert caught.value.details == {"command": list(command.argv), "cwd": command.cwd}
    assert caught.value.hint
    return str(caught.value)


async def test_a_process_is_a_stream_with_an_identity():
    async with launched(python(ECHO), **PATIENT) as process:
        assert process.identity.startswith("pid ")
        assert process.exit is None
        await process.send(b"one\n")
        assert await line(process) == "one"
        await process.send(b"two\n")
        assert await line(process) == "two"
    assert process.exit == Exit(0)


async def test_a_program_that_is_missing_is_named(tmp_path):
    assert await refused(Command(["no-such-agent", "--acp"], "/")) == "There is no program 'no-such-agent'."
    assert await refused(Command([str(tmp_path)], "/")) == f"There is no program '{tmp_path}'."


async def test_a_program_that_is_not_executable_is_named_with_its_path(tmp_path):
    (tmp_path / "agent").write_text("#!/bin/sh\n")
    command = Command(["agent"], "/", env={"PATH": str(tmp_path)})
    assert await refused(command) == f"{tmp_path}/agent is not executable."


async def test_a_program_that_the_system_refuses_is_told_with_the_reason(tmp_path):
    program = tmp_path / "agent"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o700)
    assert "did not start: No such file" in await refused(Command([str(program)], "/"))
    program.write_bytes(b"\0\1\2\3")
    assert "did not start: Exec format error" in await refused(Command([str(program)], "/"))
    assert "did not start: embedded null byte" in await refused(Command(["sh", "\0"], "/"))


async def test_a_working_directory_that_is_missing_is_named(tmp_path):
    assert await refused(python("", cwd=tmp_path / "gone")) == f"The working directory {tmp_path}/gone does not exist."


async def test_a_program_with_a_slash_stands_in_the_working_directory(tmp_path):
    (tmp_path / "agent").write_text("#!/bin/sh\npwd\n")
    (tmp_path / "agent").chmod(0o700)
    async with launched(Command(["./agent"], str(tmp_path))) as process:
        assert await said(process) == f"{tmp_path.resolve()}\n"


async def test_a_process_that_ignores_sigchld_is_told_what_it_cannot_do():
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert "SIGCHLD" in await refused(python(""))
    finally:
        signal.signal(signal.SIGCHLD, before)


@pytest.mark.parametrize(("code", "end"), [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", -9)])
async def test_the_status_and_the_last_words_are_known_when_it_has_ended(code, end):
    async with launched(python(f"import sys; print('last words', file=sys.stderr, flush=True); {code}")) as process:
        assert await process.wait() == Exit(end)
        assert process.exit == Exit(end)
        assert process.stderr_tail() == "last words"
        assert await said(process) == ""
        with pytest.raises(anyio.BrokenResourceError):
            await process.send(b"too late")


async def test_many_can_wait_for_the_end():
    async with launched(python("input()"), **PATIENT) as process, anyio.create_task_group() as tasks:
        tasks.start_soon(process.wait)
        tasks.start_soon(process.wait)
        await process.send(b"\n")


async def test_the_end_of_stdin_ends_it_first():
    code = "import sys; sys.stdin.read(); print('bye', file=sys.stderr); sys.exit(5)"
    async with launched(python(code), **PATIENT) as process:
        pass
    assert process.exit == Exit(5)
    assert process.stderr_tail() == "bye"


async def test_sigterm_ends_it_second():
    async with launched(python("import time; print('up', flush=True); time.sleep(600)"), grace_s=0.5) as process:
        await line(process)
    assert process.exit == Exit(-signal.SIGTERM)


async def test_sigkill_ends_it_last():
    async with launched(python(DEAF), **HASTY) as process:
        await line(process)
    assert process.exit == Exit(-signal.SIGKILL)


async def test_one_that_even_sigkill_does_not_end_is_told_and_can_be_ended_again(monkeypatch, caplog):
    (provider,) = kiro_launchers()
    with anyio.fail_after(LIMIT_S):
        async with provider.open(provider.options(**HASTY)) as launcher:
            with monkeypatch.context() as immortal:
                immortal.setattr("kiro_local.process.signal_group", lambda *_: None)
                immortal.setattr("kiro_local.process.KILL_S", 0.05)
                immortal.setattr("kiro_local.sweeping._signalled", lambda *_: False)
                immortal.setattr("kiro_local.sweeping.LIMIT_S", 0.05)
                with pytest.raises(EndingFailed, match="was killed, and it or something that it started") as caught:
                    async with launcher.launch(python(DEAF)) as process:
                        await line(process)
                assert process.exit is None
                assert f"{process.identity} was killed and has not ended" in caplog.text
                with pytest.raises(EndingFailed):
                    await caught.value.again()
            process._child.popen.kill()
            process._child.popen.wait(LIMIT_S)
            await caught.value.again()
            assert process.exit == Exit(-signal.SIGKILL)


async def test_one_that_is_blocked_on_a_full_stdout_still_sees_the_end_of_its_stdin():
    code = "import sys; print('x' * 1000000, flush=True); sys.exit(len(sys.stdin.read()))"
    async with launched(python(code), **PATIENT) as process:
        await process.receive(1)
    assert process.exit == Exit(0)


async def test_a_chatty_stderr_does_not_block_and_its_tail_is_bounded():
    code = "import sys\nfor n in range(20000): print('line', n, 'x' * 50, file=sys.stderr)\nprint('done')"
    async with launched(python(code)) as process:
        assert await said(process) == "done\n"
        await process.wait()
        tail = process.stderr_tail().splitlines()
    assert tail[-1].startswith("line 19999 ")
    assert len(tail) == 40


async def test_the_tail_has_no_escape_codes_no_bad_bytes_and_no_cut_line():
    code = (
        "import sys; out = sys.stderr.buffer; out.write(b'y' * 9000 + b'\\n');"
        r"out.write(b'\x1b[1;31mred\x1b[0m \x1b]0;title\x07and \xff\a bad\n')"
    )
    async with launched(python(code)) as process:
        await process.wait()
        assert process.stderr_tail() == "red and \N{REPLACEMENT CHARACTER} bad"


@asynccontextmanager
async def held_open(path):
    """A pipe whose end tells that nobody holds it open any more."""
    os.mkfifo(path)
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield fd
        with anyio.fail_after(LIMIT_S):
            await anyio.wait_readable(fd)
        assert os.read(fd, 1) == b""
    finally:
        os.close(fd)


@pytest.mark.parametrize("then", ["sys.stdin.read()", "sys.exit(0)", "import time; time.sleep(600)"])
async def test_a_grandchild_in_the_group_is_gone_after_leaving(tmp_path, then):
    async with held_open(tmp_path / "pipe"):
        async with launched(python(PARENT + then, str(tmp_path / "pipe")), **HASTY) as process:
            grandchild = int(await line(process))
            if "exit" in then:
                await process.wait()
            else:
                os.kill(grandchild, 0)
        assert process.exit is not None


async def test_leaving_under_cancellation_ends_everything(tmp_path):
    async with held_open(tmp_path / "pipe"):
        with anyio.CancelScope() as scope:
            async with launched(python(PARENT + DEAF, str(tmp_path / "pipe")), **HASTY) as process:
                await line(process)
                scope.cancel()
                await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert process.exit == Exit(-signal.SIGKILL)


async def test_a_scope_that_is_cancelled_already_leaves_no_process():
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with launched(python(DEAF), **HASTY) as process:
            await checkpoint()
    assert process.exit is not None


async def test_what_the_block_raises_leaves_as_it_is():
    with pytest.raises(LookupError, match="mine") as caught:
        async with launched(python(ECHO), **PATIENT) as process:
            raise LookupError("mine")
    assert type(caught.value) is LookupError
    assert process.exit == Exit(0)


async def test_a_nested_cancellation_stays_in_its_scope():
    async with launched(python(ECHO), **PATIENT) as process:
        with anyio.move_on_after(0):
            await process.receive()
        await process.send(b"still\n")
        assert await line(process) == "still"


def descriptors():
    return sorted(Path("/dev/fd").iterdir())


def no_child_is_left():
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


async def test_twenty_launches_leave_no_descriptor_no_thread_and_no_zombie():
    async with launched(python(ECHO), **PATIENT):
        pass
    before, threads, reapers = descriptors(), set(threading.enumerate()), set()

    async def once():
        async with launched(python(ECHO), **PATIENT) as process:
            await process.send(b"hello\n")
            await line(process)
            reapers.update(thread for thread in threading.enumerate() if "reaper" in thread.name)

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(once)
    for thread in reapers:
        thread.join(LIMIT_S)
    assert descriptors() == before
    assert set(threading.enumerate()) <= threads  # idle workers of earlier tests may have gone
    no_child_is_left()


async def test_a_refused_program_leaves_no_descriptor(tmp_path):
    program = tmp_path / "agent"
    program.write_bytes(b"\0")
    program.chmod(0o700)
    await refused(Command([str(program)], "/"))
    before = descriptors()
    await refused(Command([str(program)], "/"))
    assert descriptors() == before


async def test_a_child_whose_end_cannot_be_watched_is_ended_at_once(monkeypatch):
    def no_more(_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("kiro_local.start.ending", no_more)
    before = descriptors()
    assert "Too many open files" in await refused(python(DEAF))
    assert descriptors() == before
    no_child_is_left()


async def test_a_child_gets_three_descriptors_a_group_of_its_own_and_default_signals():
    code = (
        "import os, signal\n"
        "def is_open(fd):\n"
        "    try: os.fstat(fd)\n"
        "    except OSError: return False\n"
        "    return True\n"
        "print([fd for fd in range(256) if is_open(fd)], os.getpgid(0) == os.getsid(0) == os.getpid())\n"
    )
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)  # noqa: FBT003 - its only way to be called
    try:
        async with launched(python(code)) as process:
            assert await said(process) == "[0, 1, 2] True\n"
        # `yes` dies of a closed pipe only where SIGPIPE is at its default, which Python's own is not.
        async with launched(Command(["sh", "-c", "yes | head -n 1"], "/")) as process:
            assert await said(process) == "y\n"
            assert process.stderr_tail() == ""
    finally:
        os.close(reading)
        os.close(writing)


ENV = "import json, os; print(json.dumps(dict(os.environ)))"


async def environment(monkeypatch, command, **options):
    for name in ("KEPT", "OUTER_AGENT", "LC_TIME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, "ours")
    async with launched(python(ENV, **command), **options) as process:
        return json.loads(await said(process))


async def test_the_environment_is_inherited_less_what_the_command_takes_away(monkeypatch):
    options = {"env": {"A": "options", "B": "options", "OUTER_AGENT": "options"}}
    command = {"unset": ["OUTER_AGENT", "KEPT", "NEVER_SET"], "env": {"B": "command"}}
    found = await environment(monkeypatch, command, **options)
    assert (found["A"], found["B"], found["OUTER_AGENT"]) == ("options", "command", "options")
    assert "KEPT" not in found
    assert found["PATH"] == os.environ["PATH"]


async def test_a_minimal_environment_is_an_allow_list(monkeypatch):
    found = await environment(monkeypatch, {"env": {"B": "command"}}, environment="minimal", pass_through=["KEPT"])
    assert (found["KEPT"], found["B"], found["LC_TIME"], found["XDG_DATA_HOME"]) == ("ours", "command", "ours", "ours")
    assert "OUTER_AGENT" not in found
    assert found["PATH"] == os.environ["PATH"]


async def test_the_program_is_looked_for_where_the_child_would_look(tmp_path):
    (tmp_path / "agent").symlink_to(Path("/bin/echo"))
    async with launched(Command(["agent", "hi"], "/", env={"PATH": str(tmp_path)})) as process:
        assert await said(process) == "hi\n"


def test_options_that_nobody_knows_are_refused_and_values_are_not_shown():
    with pytest.raises(ValidationError):
        LocalOptions(enviroment="minimal")
    assert "hunter2" not in repr(LocalOptions(env={"TOKEN": "hunter2"}))


async def test_a_command_that_nobody_talks_to_has_an_empty_stdin_and_one_output():
    code = "import os, sys; os.write(1, b'a'); os.write(2, b'b'); os.write(1, sys.stdin.buffer.read() + b'c')"
    before = descriptors()
    async with launched(python(code, output_only=True)) as process:
        assert await said(process) == "abc"
        assert await process.wait() == Exit(0)
        assert process.stderr_tail() == ""
        with pytest.raises(anyio.BrokenResourceError):
            await process.send(b"nobody reads this")
    assert descriptors() == before


async def test_one_that_does_not_listen_is_terminated_at_once():
    code = "import time; print('up', flush=True); time.sleep(600)"
    async with launched(python(code, output_only=True), grace_s=LIMIT_S) as process:
        await line(process)
    assert process.exit == Exit(-signal.SIGTERM)


async def test_its_stdin_can_be_closed_while_it_goes_on():
    async with launched(python("import sys; print(len(sys.stdin.read()))")) as process:
        await process.send(b"123")
        await process.send_eof()
        await process.send_eof()
        assert await said(process) == "3\n"
        assert await process.wait() == Exit(0)
