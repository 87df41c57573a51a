"""What the next desk finds of a killed one is ended; what is not proven to be that is not touched."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from kiro_core.processes import mark_of
from kiro_core.types import Receipt

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes cannot be told apart here")

LAUNCH = uuid4().hex  # several runs of these tests at once leave each other alone


@pytest.fixture
def gone():
    """The mark of a desk that has ended."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as process:
        return mark_of(process.pid)


@pytest.fixture
def left(receipts, gone):
    """`left(leader, desk=...)`: write the receipt of a launch."""

    def write(leader=None, desk=gone):
        receipts.mkdir(parents=True)
        leader = leader or mark_of(0)
        receipt = {"program": "agent", "leader": leader._asdict(), "desk": desk._asdict()}
        (receipts / f"{LAUNCH}.json").write_text(json.dumps(receipt))

    return write


def part_of(*launches):
    return os.environ | {"KIRO_CORE_LAUNCH": ":".join(launches)}


async def test_nothing_to_sweep_is_nothing(sweep, receipts):
    assert await sweep() == []
    assert not receipts.exists()


async def test_a_proven_process_its_group_and_whoever_names_the_launch_are_ended(sweep, left, bystander, receipts):
    leader = bystander(["sh", "-c", "sleep 600 & exec sleep 600"], start_new_session=True)
    inner = bystander(env=part_of("outer", LAUNCH, "inner"))
    left(mark_of(leader.pid))
    assert await sweep() == [Receipt(f"pid {leader.pid}", "agent", 2)]
    assert (leader.wait(30), inner.wait(30)) == (-9, -9)
    assert list(receipts.iterdir()) == []
    assert await sweep() == []


async def test_who_is_becoming_another_program_is_ended(sweep, left, bystander, receipts):
    """It has no environment meanwhile, which takes the longer the more arguments it has."""
    for _ in range(5):
        chain = bystander(["env"] * 100_000 + ["sleep", "600"], env=part_of(LAUNCH))
        left()
        assert await sweep() == [Receipt("pid 0", "agent", 1)]
        assert chain.wait(30) == -9
        receipts.rmdir()


async def test_a_pid_that_was_handed_out_again_is_not_touched(sweep, left, bystander, receipts):
    other = bystander()
    left(mark_of(other.pid)._replace(started="1"))
    assert await sweep() == []
    assert other.poll() is None
    assert list(receipts.iterdir()) == []


@pytest.mark.parametrize(
    "looks",
    [
        {"argv": [sys.executable, "-c", "import time; time.sleep(600)", f"KIRO_CORE_LAUNCH={LAUNCH}"]},
        {"env": {**os.environ, "OTHER": f"KIRO_CORE_LAUNCH={LAUNCH}"}},
        {"env": {**os.environ, "NOT_KIRO_CORE_LAUNCH": LAUNCH}},
        {"env": part_of(f"{LAUNCH}0")},
    ],
)
async def test_what_only_looks_like_the_launch_is_not_touched(looks, sweep, left, bystander):
    other = bystander(**looks)
    left()
    assert await sweep() == []
    assert other.poll() is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root has processes of others")
async def test_a_process_of_another_user_is_not_touched(sweep, left, bystander):
    other = bystander(env=part_of(LAUNCH), user=65534)
    left()
    assert await sweep() == []
    assert other.poll() is None


async def test_a_launch_of_a_desk_that_lives_is_not_touched(sweep, left, bystander, receipts):
    desk, other = bystander(), bystander(env=part_of(LAUNCH))
    left(mark_of(other.pid), desk=mark_of(desk.pid))
    assert await sweep() == []
    assert other.poll() is None
    assert len(list(receipts.iterdir())) == 1


async def test_a_launch_of_another_container_is_not_touched(sweep, left, bystander, gone, receipts):
    other = bystander(env=part_of(LAUNCH))
    left(mark_of(other.pid), desk=gone._replace(namespace="pid:[1]"))
    assert await sweep() == []
    assert other.poll() is None
    assert len(list(receipts.iterdir())) == 1


async def test_a_receipt_from_before_the_machine_started_is_only_removed(sweep, left, bystander, gone, receipts):
    other = bystander(env=part_of(LAUNCH))
    left(mark_of(other.pid), desk=gone._replace(boot="an earlier one"))
    assert await sweep() == []
    assert other.poll() is None
    assert list(receipts.iterdir()) == []


@pytest.mark.parametrize("content", ["", "{", "[]", '{"program": "x", "leader": {"pid": "1"}, "desk": {}}'])
async def test_a_receipt_that_cannot_be_read_is_only_removed(content, sweep, receipts):
    receipts.mkdir(parents=True)
    (receipts / f"{LAUNCH}.json").write_text(content)
    assert await sweep() == []
    assert list(receipts.iterdir()) == []


async def test_who_runs_in_what_is_left_does_not_end_itself(sweep, left, bystander, monkeypatch):
    beside = bystander(env=part_of(LAUNCH))
    left()
    monkeypatch.setenv("KIRO_CORE_LAUNCH", f"outer:{LAUNCH}")
    assert await sweep() == []
    assert beside.poll() is None
