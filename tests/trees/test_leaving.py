"""Leaving a launch ends all that it started, wherever that went."""

import os
import sys
import threading
from pathlib import Path

import anyio
import pytest

from kiro_core.types import Command
from kiro_local import kiro_launchers

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes cannot be told apart here")

DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)"

# Each process starts the next one in a session of its own, and ends.
CHAIN = """
import os, signal, sys
held = os.open(sys.argv[1], os.O_WRONLY)
if os.fork():
    signal.pause()
os.setsid()
os.write(held, b".")
while True:
    if os.fork():
        os._exit(0)
    os.setsid()
"""
# Of two in sessions of their own, each starts the other one again when that has ended.
PAIR = """
import os, signal, sys
held = os.open(sys.argv[1], os.O_WRONLY)
def pair():
    (here_reads, there_writes), (there_reads, here_writes) = os.pipe(), os.pipe()
    if os.fork():
        os.close(there_writes), os.close(there_reads)
        return here_reads
    os.setsid()
    os.close(here_reads), os.close(here_writes)
    return there_reads
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
if os.fork():
    signal.pause()
os.setsid()
other = pair()
os.write(held, b".")
while True:
    os.read(other, 1)
    other = pair()
"""


@pytest.mark.parametrize("code", ["sys.stdin.read()", "time.sleep(600)", DEAF, ""])
async def test_nothing_of_an_agent_with_three_helpers_is_left(code, launched, pipe, tree, receipts):
    async with launched(tree(code)) as process:
        await pipe.up()
        if not code:
            await process.wait()
        assert pipe.is_held()
        assert len(list(receipts.iterdir())) == 1
    assert not pipe.is_held()
    assert list(receipts.iterdir()) == []


async def test_nothing_is_left_under_cancellation(launched, pipe, tree):
    with anyio.CancelScope() as scope:
        async with launched(tree(DEAF)):
            await pipe.up()
            scope.cancel()
            await anyio.sleep_forever()
    assert not pipe.is_held()


async def test_nothing_is_left_of_one_that_ends_with_an_error_of_ours(launched, pipe, tree):
    async def fail():
        async with launched(tree()):
            await pipe.up()
            raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        await fail()
    assert not pipe.is_held()


async def test_a_minimal_environment_names_the_launch_too_whatever_the_options_say(launched, pipe, tree):
    async with launched(tree(), environment="minimal", env={"KIRO_CORE_LAUNCH": "mine"}):
        await pipe.up()
    assert not pipe.is_held()


async def test_where_there_are_no_descriptors_of_processes_nothing_is_left_either(launched, pipe, tree, monkeypatch):
    monkeypatch.delattr(os, "pidfd_open")
    async with launched(tree()):
        await pipe.up()
    assert not pipe.is_held()


@pytest.mark.parametrize("busy", [CHAIN, PAIR])
async def test_one_that_forks_while_it_is_ended_does_not_escape(busy, launched, pipe, tree, caplog):
    async with launched(tree("", busy)):
        await pipe.up()
    assert not pipe.is_held()
    assert caplog.text == ""


async def test_the_launches_that_a_desk_is_part_of_are_named_in_front(launched, monkeypatch):
    monkeypatch.setenv("KIRO_CORE_LAUNCH", "outer:middle")
    async with launched([sys.executable, "-c", "import os; print(os.environ['KIRO_CORE_LAUNCH'])"]) as process:
        outer, middle, inner = (await process.receive()).decode().strip().split(":")
    assert (outer, middle, len(inner)) == ("outer", "middle", 32)


async def test_running_programs_have_no_thread_and_many_end_together(pipe, tree):
    (provider,) = kiro_launchers()
    before = threading.active_count()

    async def one(launcher, over):
        async with launcher.launch(Command(tree(), "/")):
            await over.wait()

    with anyio.fail_after(30):
        async with provider.open(provider.options(grace_s=0.05)) as launcher, anyio.create_task_group() as tasks:
            over = anyio.Event()
            for _ in range(10):
                tasks.start_soon(one, launcher, over)
            await pipe.up(10)
            # A thread that an earlier test left may have ended meanwhile; none was added.
            assert threading.active_count() <= before
            over.set()
    assert not pipe.is_held()


async def test_a_receipt_is_private_and_tells_no_arguments(launched, receipts):
    async with launched(["sleep", "600.25"]):
        (receipt,) = receipts.iterdir()
        assert (receipt.stat().st_mode & 0o777, receipts.stat().st_mode & 0o777) == (0o600, 0o700)
        assert '"program": "sleep"' in receipt.read_text()
        assert "600.25" not in receipt.read_text()


async def test_a_program_is_launched_also_where_no_receipt_can_be_written(launched, home, caplog):
    home.mkdir()
    (home / "run").touch()
    async with launched(["true"]) as process:
        assert (await process.wait()).code == 0
    assert "no receipts of launched processes can be written" in caplog.text
