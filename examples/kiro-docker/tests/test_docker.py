"""What is special to containers: how docker is called, what it is not told, and what it has to say."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress

import anyio
import pytest
from kiro_core.errors import Disconnected, EndingFailed, LaunchFailed
from kiro_core.processes import mark_of
from kiro_core.types import Command, Exit

BOUND_S = 30
ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
TELL = "import json, os; print(json.dumps({name: os.environ[name] for name in os.environ if name != 'LC_CTYPE'}))"
UNTIL_KILLED = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"

ARABIC = {ord(str(digit)): 0x660 + digit for digit in range(10)}
EVIL = """
#include <fcntl.h>
__attribute__((constructor)) static void run(void) { open("%s", O_CREAT | O_WRONLY, 0600); }
"""
FOLLOWED = (
    *("LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "GODEBUG", "PATH", "HOME", "TMPDIR"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "no_proxy", "SSH_AUTH_SOCK", "SSL_CERT_FILE"),
    *("DOCKER_HOST", "DOCKER_CONFIG", "CONTAINER_HOST", "CONTAINERS_CONF", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"),
)
"""What docker, podman, or the system that loads them would follow."""


def python(code, folder, **fields):
    return Command([sys.executable, "-c", code], str(folder), **fields)


async def told_by(process):
    """What `TELL` has to say."""
    told = b""
    with anyio.fail_after(BOUND_S), suppress(anyio.EndOfStream):
        while True:
            told += await process.receive()
    return json.loads(told)


async def test_all_options_stand_in_front_of_the_image(opened, calls, tmp_path):
    options = {"network": "none", "user": "1000:1000", "mounts": ["/a:/b:ro"], "arguments": ["--cpus", "2"]}
    folder = tmp_path / 'a "b", c'
    folder.mkdir()
    async with opened(**options) as launcher, launcher.launch(python("", folder)) as process:
        assert await process.wait() == Exit(0)
    argv = calls()[0]["argv"]
    assert argv[:3] == ["run", "--rm", "--name"]
    quoted = f'{tmp_path}/a ""b"", c'
    for expected in (
        ["--init", "--interactive"],
        ["--mount", f'type=bind,"source={quoted}","target={quoted}"', "--workdir", str(folder)],
        ["--network", "none", "--user", "1000:1000", "--volume", "/a:/b:ro"],
        ["--cpus", "2", "python:3.13-slim", sys.executable, "-c", ""],
    ):
        assert "\n".join(expected) in "\n".join(argv)


async def test_no_value_of_a_variable_stands_in_the_arguments(opened, calls, tmp_path, monkeypatch):
    for name in ("KIT_PASSED", "KIT_UNSET", "KIT_KEPT_OUT"):
        monkeypatch.setenv(name, "secret-ours")
    command = python(TELL, tmp_path, env={"KIT_TOKEN": "secret", "PATH": "/usr/bin"}, unset=["KIT_UNSET"])
    options = {"pass_through": ["KIT_PASSED", "KIT_UNSET", "KIT_NOT_SET"], "env": {"KIT_ALL": "secret-all"}}
    named = {"KIT_ALL": "secret-all", "KIT_PASSED": "secret-ours", "KIT_TOKEN": "secret", "PATH": "/usr/bin"}
    async with opened(**options) as launcher, launcher.launch(command) as process:
        assert await told_by(process) == named
    assert "secret" not in str(calls()[0]["argv"])


async def test_docker_gets_no_variable_of_a_command(opened, calls, tmp_path):
    odd = {"KIT_ODD": "  a=b #c '$x' \t\u2028größe\\", "KIT_EMPTY": "", "KIT_LONG": "x" * 60000}
    chosen = dict.fromkeys(FOLLOWED, "./evil") | odd
    async with opened(env={"LD_AUDIT": "./evil"}) as launcher:
        async with launcher.launch(python(TELL, tmp_path, env=chosen)) as process:
            assert await told_by(process) == chosen | {"LD_AUDIT": "./evil"}
    assert calls()[0]["argv"][0] == "run"
    for call in calls():
        assert not [name for name in (*chosen, "LD_AUDIT") if call["env"].get(name) != os.environ.get(name)]
        assert "evil" not in str(call)


@pytest.mark.skipif(not (CC := shutil.which("cc")), reason="it needs a C compiler")
async def test_a_library_that_the_agent_has_written_is_not_loaded_on_this_machine(opened, tmp_path):
    escaped, source, library = tmp_path / "escaped", tmp_path / "evil.c", tmp_path / "evil.so"
    source.write_text(EVIL % escaped)
    await anyio.run_process([CC, "-shared", "-fPIC", "-o", library, source])
    environ = {**os.environ, "LD_PRELOAD": str(library)}
    await anyio.run_process(["/bin/sh", "-c", ":"], env=environ)
    escaped.unlink()  # so it does what it should, wherever it is loaded
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\necho 'docker: not today' >&2\n[ $1 = rm ] || exit 125\n")
    docker.chmod(0o700)
    async with opened(program=str(docker)) as launcher:
        with pytest.raises(LaunchFailed, match="not today"):
            async with launcher.launch(
                python("", tmp_path, env={"LD_PRELOAD": str(library)}, output_only=True)
            ) as process:
                await process.wait()
    assert not escaped.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "x"),
        ("A=B", "x"),
        ("A B", "x"),
        ("#A", "x"),
        ("A\nHOME", "x"),
        ("\ufeffA", "x"),
        ("A", "x\nHOME"),
        ("A", "x\r"),
        ("A", "x\0"),
        ("A", "\udcff"),
        ("A", "x" * 2**16),
        ("\udcff", "x"),
    ],
)
async def test_a_variable_that_no_line_can_say_is_refused(opened, state, tmp_path, name, value):
    async with opened() as launcher:
        with pytest.raises(LaunchFailed, match="cannot be passed on") as refused:
            async with launcher.launch(python("", tmp_path, env={name: value})):
                pass
    assert "HOME" not in str(refused.value) or "HOME" in name
    assert not list(state.iterdir())


def test_no_image_is_an_option(opened):
    with pytest.raises(ValueError, match="--privileged"):
        opened(image="--privileged")


@pytest.mark.parametrize(
    ("image", "program", "words", "hint"),
    [
        ("missing", sys.executable, "docker: Error response from daemon: pull access denied", "by hand"),
        ("any", "./plain", "exec ./plain failed: Permission denied", "permissions"),
        ("any", "no-such-agent", "exec no-such-agent failed: No such file", "Put it into the image"),
    ],
)
async def test_what_does_not_start_is_told_in_the_words_of_docker(opened, tmp_path, image, program, words, hint):
    (tmp_path / "plain").write_text("no program")
    async with opened(image=image) as launcher:
        for error in (None, Disconnected("It hung up.")):
            with anyio.fail_after(BOUND_S), pytest.raises(LaunchFailed) as refused:
                async with launcher.launch(Command([program], str(tmp_path))) as process:
                    await process.wait()
                    if error:
                        raise error
            assert words in str(refused.value)
            assert program in str(refused.value)
            assert hint in refused.value.hint
            assert refused.value.__cause__ is error


async def test_a_program_may_end_with_a_status_of_docker(opened, tmp_path):
    async with opened() as launcher, launcher.launch(python("raise SystemExit(127)", tmp_path)) as process:
        assert await process.wait() == Exit(127)


async def test_without_docker_nothing_is_launched_and_nothing_swept(opened, tmp_path):
    async with opened(program="no-such-docker") as launcher:
        assert list(await launcher.sweep()) == []
        with pytest.raises(LaunchFailed, match="There is no program 'no-such-docker'") as refused:
            async with launcher.launch(python("", tmp_path)):
                pass
    assert "podman" in refused.value.hint


async def test_a_container_does_not_outlive_its_block_when_docker_run_was_killed(opened, calls, state, tmp_path):
    with anyio.fail_after(BOUND_S):
        async with opened() as launcher, launcher.launch(python(UNTIL_KILLED, tmp_path)) as process:
            assert await process.receive() == b"up\n"
            os.kill(calls()[0]["pid"], signal.SIGKILL)
            assert await process.wait() == Exit(-signal.SIGKILL)
            assert list(state.glob("kiro-core-*"))
    assert not list(state.glob("kiro-core-*"))


async def test_a_container_that_cannot_be_removed_is_told_and_can_be_removed_later(opened, calls, state, tmp_path):
    with anyio.fail_after(BOUND_S):
        async with opened() as launcher:
            with pytest.raises(EndingFailed, match="could not kill") as failed:
                async with launcher.launch(python(UNTIL_KILLED, tmp_path)) as process:
                    assert await process.receive() == b"up\n"
                    (state / "stuck").touch()
                    os.kill(calls()[0]["pid"], signal.SIGKILL)
                    await process.wait()
            with pytest.raises(EndingFailed):
                await failed.value.again()
            (state / "stuck").unlink()
            await failed.value.again()
    assert not list(state.glob("kiro-core-*"))
    assert failed.value.details["container"] in failed.value.hint


@pytest.fixture
def dead_desk():
    """The mark of a desk that has ended."""
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as desk:
        mark = mark_of(desk.pid)
    return "/".join(map(str, mark))


async def test_a_sweep_removes_what_a_dead_desk_has_left_under_its_own_name_alone(opened, calls, state, dead_desk):
    ours, copied, other = (f"kiro-core-{digit * 32}" for digit in "abc")
    labels = {
        ours: f"{ours}/{dead_desk}",
        # Of an image that `docker commit` has made of a container of ours, each container has its labels.
        copied: f"{ours}/{dead_desk}",
        "postgres-production": f"{ours}/{dead_desk}",
        other: dead_desk,
        "postgres": f"postgres/{dead_desk}",
        "--volumes": f"--volumes/{dead_desk}",
        f"{ours},web": f"{ours},web/{dead_desk}",
        f"{ours}0": f"{ours}0/{dead_desk}",
        "kiro-core-" + "d" * 32: f"kiro-core-{'d' * 32}/{'9' * 5000}/1/2/3",
        "kiro-core-" + "e" * 32: f"kiro-core-{'e' * 32}/{dead_desk.translate(ARABIC)}",
        "kiro-core-" + "f" * 32: f"kiro-core-{'f' * 32}/{dead_desk}/more",
    }
    for name, desk in labels.items():
        there = {"labels": {"kiro-core.desk": desk, "kiro-core.program": "agent"}, "first": 0}
        (state / name).write_text(json.dumps(there))
    with anyio.fail_after(BOUND_S):
        async with opened() as launcher:
            assert [receipt.identity for receipt in await launcher.sweep()] == [f"container {ours}"]
    assert [call["argv"] for call in calls() if call["argv"][0] != "ps"] == [["rm", "--force", ours]]


async def test_a_sweep_without_the_daemon_is_no_error(opened, state, caplog):
    (state / "down").touch()
    async with opened() as launcher:
        assert list(await launcher.sweep()) == []
    assert "Cannot connect to the Docker daemon" in caplog.text


async def test_two_desks_on_one_machine_leave_each_other_alone(opened, tmp_path):
    with anyio.fail_after(BOUND_S):
        async with opened() as one, opened() as other, one.launch(python(ECHO, tmp_path)) as process:
            assert list(await other.sweep()) == []
            await process.send(b"here\n")
            assert await process.receive() == b"here\n"
