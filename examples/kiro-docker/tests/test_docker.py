"""What is special to containers: how docker is called, what it is not told, and what it has to say."""

import os
import signal
import sys

import anyio
import pytest
from kiro_core.errors import Disconnected, EndingFailed, LaunchFailed
from kiro_core.types import Command, Exit

BOUND_S = 30
ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
UNTIL_KILLED = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"


def python(code, folder, **fields):
    return Command([sys.executable, "-c", code], str(folder), **fields)


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
    code = "import os; print(sorted((name, value) for name, value in os.environ.items() if name != 'LC_CTYPE'))"
    command = python(code, tmp_path, env={"KIT_TOKEN": "secret", "PATH": "/usr/bin"}, unset=["KIT_UNSET"])
    options = {"pass_through": ["KIT_PASSED", "KIT_UNSET", "KIT_NOT_SET"], "env": {"KIT_ALL": "secret-all"}}
    async with opened(**options) as launcher, launcher.launch(command) as process:
        with anyio.fail_after(BOUND_S):
            told = await process.receive()
    named = [("KIT_ALL", "secret-all"), ("KIT_PASSED", "secret-ours"), ("KIT_TOKEN", "secret"), ("PATH", "/usr/bin")]
    assert told.decode().strip() == str(named)
    assert "secret" not in str(calls())


async def test_a_variable_that_docker_itself_would_follow_is_refused(opened, tmp_path):
    async with opened() as launcher:
        with pytest.raises(LaunchFailed, match="DOCKER_HOST cannot be passed on"):
            async with launcher.launch(python("", tmp_path, env={"DOCKER_HOST": "tcp://elsewhere"})):
                pass


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
