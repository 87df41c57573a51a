"""What a desk holds for each session is counted: threads, descriptors, tasks, and the steps of a message."""

import gc
import math
import sys
import threading
from pathlib import Path

import anyio
import pytest

from kiro_core.testing import RecordingClient

MANY = 8
DESCRIPTORS = Path("/proc/self/fd")

needs_proc = pytest.mark.skipif(not DESCRIPTORS.exists(), reason="descriptors are counted in /proc")


def descriptors():
    gc.collect()
    return len(list(DESCRIPTORS.iterdir()))


async def tasks():
    """How many tasks there are when all that are about to end have ended."""
    await anyio.wait_all_tasks_blocked()
    return len(anyio.get_running_tasks())


async def calls_of(office, session, few=math.inf):
    """How many functions of ours a turn calls, at least: more are called when the answer comes in pieces.

    On a busy machine it mostly does, so turns are counted until one takes as `few`, or enough have taken more.
    """
    counted = []
    while len(counted) < 5 or (min(counted) >= few and len(counted) < 50):
        calls = 0

        def count(frame, event, _argument):
            nonlocal calls
            calls += event == "call" and "kiro_" in frame.f_code.co_filename

        sys.setprofile(count)
        try:
            await office.prompt(session, "/echo hello")
            await anyio.wait_all_tasks_blocked()
        finally:
            sys.setprofile(None)
        counted.append(calls)
    return min(counted)


async def asleep(office, session):
    while not await office.entries(session, "process_ended"):
        await anyio.wait_all_tasks_blocked()


async def test_more_sessions_have_no_more_threads(opened_desk):
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient(), engine="rehearsal") as office:
            await office.prompt(await office.start(), "/echo one")
            alone = threading.active_count()
            for _ in range(MANY - 1):
                await office.prompt(await office.start(), "/echo more")
            assert threading.active_count() <= alone


@needs_proc
async def test_a_live_session_has_six_descriptors_and_one_whose_agent_sleeps_has_two(opened_desk):
    # Three pipes, what tells of the agent's end, the log and the lock.
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient(), engine="rehearsal") as office:
            await office.start()  # with the first agent comes the watchdog
            before = descriptors()
            sessions = [await office.start() for _ in range(MANY)]
            assert descriptors() - before <= 6 * MANY
            for session in sessions:
                office.desk.live[session].resting.sleep()
                await asleep(office, session)
            assert descriptors() - before <= 2 * MANY


async def test_a_session_has_ten_tasks_and_one_whose_agent_sleeps_has_five(opened_desk):
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient(), engine="rehearsal") as office:
            await office.start()
            before = await tasks()
            sessions = [await office.start() for _ in range(MANY)]
            assert await tasks() - before <= 10 * MANY
            for session in sessions:
                office.desk.live[session].resting.sleep()
                await asleep(office, session)
            assert await tasks() - before <= 5 * MANY


async def test_a_turn_takes_as_many_steps_beside_many_sessions_as_alone(opened_desk):
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient(), engine="rehearsal") as office:
            session = await office.start()
            await office.prompt(session, "/echo the first one knows nothing")
            alone = await calls_of(office, session)
            for _ in range(MANY):
                await office.start()
            # How often the disk is asked within a turn is a matter of its pace, so some calls more are nobody's growth.
            few = alone * 5 / 4
            assert await calls_of(office, session, few) < few
