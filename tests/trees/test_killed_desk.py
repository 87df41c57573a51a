"""A desk that is killed leaves nothing: its watchdog sees to it, and should that be killed too, the next desk."""

import json
import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
import warm

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes cannot be told apart here")

RUN = [str(warm.PROGRAM), "run", "--engine", "tree", "/hang"]
LIMIT_S = 30

# It stays when its stdin ends.
REHEARSAL = "os.execv(sys.executable, [sys.executable, '-P', '-m', 'kiro_core.rehearsal', '--with', 'outlive-stdin'])"


@pytest.fixture
def kiro(home, tree, tmp_path):
    """Start the real program; its engine `tree` is an agent with three helpers."""
    home.mkdir(exist_ok=True)
    (home / "kiro.toml").write_text(f"[engines.tree]\ncommand = {json.dumps(tree(REHEARSAL))}\n")
    started = []

    def start(*arguments):
        program = warm.start(
            [warm.PROGRAM, *arguments], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=-1, stderr=-1, text=True
        )
        started.append(program)
        return program

    yield start
    for program in started:
        program.kill()
        program.communicate()


def opened(pid):
    """The pipes and files that a process has open."""
    names = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            names.add(str(path.readlink()))
    return {name for name in names if not name.startswith(("/dev/null", "anon_inode"))}


@pytest.fixture
def in_a_turn(kiro, pipe):
    """Start a desk with a turn that does not end."""

    async def start():
        desk = kiro("run", "--engine", "tree", "--output", "stream-json", "/echo here\n/hang")
        await pipe.up()
        while "here" not in desk.stdout.readline():
            pass
        return desk

    return start


async def test_a_desk_that_is_killed_in_a_turn_leaves_nothing(in_a_turn, pipe):
    desk = await in_a_turn()
    desk.kill()
    await pipe.all_gone()


async def test_a_desk_that_is_killed_while_its_agent_starts_leaves_nothing(kiro, pipe):
    desk = kiro("run", "--engine", "tree", "Hello")
    await pipe.up()
    desk.kill()
    await pipe.all_gone()


async def test_a_desk_that_is_ended_by_a_signal_leaves_nothing(in_a_turn, pipe, receipts, watchdog_of):
    desk = await in_a_turn()
    watchdog = watchdog_of(desk.pid)
    desk.terminate()
    desk.wait(LIMIT_S)
    assert not pipe.is_held()
    assert list(receipts.iterdir()) == []
    await watchdog.ended()


async def test_the_next_desk_ends_what_desk_and_watchdog_have_left_and_tells_it(
    in_a_turn, kiro, pipe, receipts, watchdog_of
):
    desk = await in_a_turn()
    os.kill(watchdog_of(desk.pid).pid, signal.SIGKILL)
    desk.kill()
    desk.wait(LIMIT_S)
    assert pipe.is_held()
    assert len(list(receipts.iterdir())) == 1
    _, told = kiro("run", "--engine", "rehearsal", "Hello").communicate(timeout=LIMIT_S)
    assert "WARNING: ended what a killed desk had left of python" in told
    assert "processes: 4" in told
    await pipe.all_gone()
    assert list(receipts.iterdir()) == []


async def test_all_launches_of_a_killed_desk_end_and_then_its_watchdog(desk, pipe, tree, receipts, watchdog_of):
    for _ in range(3):
        desk.order("launch", *tree())
    await pipe.up(3)
    watchdog = watchdog_of(desk.process.pid)
    os.killpg(desk.process.pid, signal.SIGKILL)
    await pipe.all_gone()
    await watchdog.ended()
    assert list(receipts.iterdir()) == []


def test_a_watchdog_holds_nothing_of_its_desk(desk, watchdog_of):
    desk.order("launch", "sleep", "600")
    pid = watchdog_of(desk.process.pid).pid
    (shared,) = opened(pid) & opened(desk.process.pid)
    process = Path(f"/proc/{pid}")
    assert shared == str((process / "fd" / "0").readlink())
    assert (process / "cwd").readlink() == Path("/")
    assert os.getsid(pid) == pid


def test_a_watchdog_does_not_mind_programs_that_end_at_once(desk, watchdog_of):
    desk.order("launch", "true")
    first = watchdog_of(desk.process.pid)
    for _ in range(20):
        desk.order("launch", "true")
    assert watchdog_of(desk.process.pid).pid == first.pid
    assert desk.end() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_watchdog_that_is_asked_to_end_waits_for_its_desk(number, desk, pipe, tree, watchdog_of):
    desk.order("launch", *tree())
    await pipe.up()
    os.kill(watchdog_of(desk.process.pid).pid, number)
    desk.kill()
    await pipe.all_gone()


async def test_another_watchdog_takes_the_place_of_one_that_has_died(desk, pipe, tree, watchdog_of):
    desk.order("launch", *tree())
    first = watchdog_of(desk.process.pid)
    os.kill(first.pid, signal.SIGKILL)
    await first.ended()
    desk.order("launch", *tree())
    await pipe.up(2)
    assert watchdog_of(desk.process.pid).pid != first.pid
    desk.kill()
    await pipe.all_gone()
    assert f"the watchdog (pid {first.pid}) has died" in desk.process.stderr.read().decode()


async def test_a_forked_child_of_the_desk_does_not_keep_its_launches_alive(desk, pipe, tree):
    desk.order("launch", *tree())
    child = int(desk.order("fork"))
    try:
        await pipe.up()
        desk.kill()
        await pipe.all_gone()
    finally:
        os.kill(child, signal.SIGKILL)


async def test_a_desk_inside_a_launch_ends_with_it_and_so_do_its_launches(kiro, launched, pipe, watchdog_of):
    async with launched(RUN, grace_s=0) as inner:
        await pipe.up()
        watchdog = watchdog_of(int(inner.identity.removeprefix("pid ")))
    assert not pipe.is_held()
    await watchdog.ended()


async def test_a_desk_inside_a_launch_that_is_killed_alone_leaves_nothing(kiro, launched, pipe):
    async with launched(RUN) as inner:
        await pipe.up()
        os.kill(int(inner.identity.removeprefix("pid ")), signal.SIGKILL)
        await pipe.all_gone()
