"""Descriptors of every kind as a byte stream, and our own stdin and stdout kept for the protocol."""

import contextlib
import fcntl
import os
import pty
import select
import socket
import subprocess
import sys

import anyio
import pytest

from kiro_core import PipeStream

LIMIT_S = 20


def pipe():
    """A pipe with two non-blocking ends, as small as the system allows."""
    ends = os.pipe()
    for fd in ends:
        os.set_blocking(fd, False)
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 4096)
    return ends


@contextlib.asynccontextmanager
async def loop():
    """A stream that reads what it writes."""
    stream = PipeStream(*pipe())
    with anyio.fail_after(LIMIT_S):
        try:
            yield stream
        finally:
            await stream.aclose()


async def collect(stream, size):
    found = b""
    while len(found) < size:
        found += await stream.receive(1000)
    return found


BIG = [bytes([65 + n]) * 300_000 for n in range(4)]


async def test_what_is_sent_is_received_and_then_the_end():
    async with loop() as stream:
        await stream.send(b"hello")
        assert await stream.receive() == b"hello"
        await stream.send_eof()
        with pytest.raises(anyio.EndOfStream):
            await stream.receive()
        with pytest.raises(anyio.ClosedResourceError):
            await stream.send(b"more")


async def test_many_senders_are_served_in_the_order_of_their_calls():
    async with loop() as stream, anyio.create_task_group() as tasks:
        for item in BIG:
            tasks.start_soon(stream.send, item)
            await anyio.wait_all_tasks_blocked()
        assert await collect(stream, 1_200_000) == b"".join(BIG)


async def test_a_send_that_is_cancelled_midway_is_not_torn():
    async with loop() as stream:
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stream.send, BIG[0])
                first = await collect(stream, 1)
                scope.cancel()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stream.send, BIG[1])
            assert first + await collect(stream, 600_000 - len(first)) == BIG[0] + BIG[1]


async def test_a_send_that_is_cancelled_while_another_one_writes_leaves_nothing():
    async with loop() as stream, anyio.create_task_group() as tasks:
        tasks.start_soon(stream.send, BIG[0])
        first = await collect(stream, 1)
        with anyio.move_on_after(0):
            await stream.send(BIG[1])
        tasks.start_soon(stream.send, BIG[2])
        assert first + await collect(stream, 600_000 - len(first)) == BIG[0] + BIG[2]


async def test_a_receive_that_is_cancelled_loses_nothing():
    async with loop() as stream:
        with anyio.move_on_after(0):
            await stream.receive()
        await stream.send(b"kept")
        assert await stream.receive() == b"kept"


async def test_a_reader_that_is_gone_breaks_every_send():
    reading, writing = pipe()
    stream = PipeStream(os.open(os.devnull, os.O_RDONLY), writing)
    broken = []

    async def send(item):
        try:
            await stream.send(item)
        except anyio.BrokenResourceError:
            broken.append(item[:1])

    with anyio.fail_after(LIMIT_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send, BIG[0])
            tasks.start_soon(send, BIG[1])
            await anyio.wait_readable(reading)
            os.close(reading)
    await stream.aclose()
    assert sorted(broken) == [b"A", b"B"]


def sockets():
    """A pair of sockets that block, as another process would want them."""
    return [side.detach() for side in socket.socketpair()]


@pytest.mark.parametrize("pair", [pipe, sockets])
async def test_closing_wakes_all_who_wait(pair):
    (reading, far_writing), (far_reading, writing) = pair(), pair()
    stream = PipeStream(reading, writing)
    closed = []

    async def closes(job, *arguments):
        try:
            await job(*arguments)
        except anyio.ClosedResourceError:
            closed.append(job.__name__)

    with anyio.fail_after(LIMIT_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(closes, stream.receive)
            tasks.start_soon(closes, stream.send, bytes(10_000_000))
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(closes, stream.send, b"behind it")
            await anyio.wait_all_tasks_blocked()
            await stream.aclose()
    assert sorted(closed) == ["receive", "send", "send"]
    os.close(far_reading)
    os.close(far_writing)


async def test_sockets_are_used_without_touching_the_flags_that_others_share():
    ours, theirs = sockets()
    shared = os.dup(ours)
    stream = PipeStream(os.dup(ours), ours)
    with anyio.fail_after(LIMIT_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stream.send, BIG[0])
            other = PipeStream(os.dup(theirs), theirs)
            assert await collect(other, len(BIG[0])) == BIG[0]
            await other.send(b"answer")
            assert await stream.receive() == b"answer"
        assert os.get_blocking(shared)
        await other.aclose()
        with pytest.raises(anyio.EndOfStream):
            await stream.receive()
        with pytest.raises(anyio.BrokenResourceError):
            await stream.send(b"more")
    await stream.aclose()
    os.close(shared)


async def test_a_file_is_read_to_its_end_and_another_one_written(tmp_path):
    (tmp_path / "in").write_bytes(BIG[0])
    stream = PipeStream(os.open(tmp_path / "in", os.O_RDONLY), os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT))
    with anyio.fail_after(LIMIT_S):
        found = await collect(stream, len(BIG[0]))
        with pytest.raises(anyio.EndOfStream):
            await stream.receive()
        await stream.send(found)
        await stream.aclose()
        with pytest.raises(anyio.ClosedResourceError):
            await stream.receive()
    assert (tmp_path / "out").read_bytes() == BIG[0]


CLAIM = r"""
import os, subprocess, sys
import anyio
from kiro_core import claim_stdio

stream = claim_stdio()
print("printed")
os.write(1, b"written\n")
subprocess.run(["echo", "from a child"], check=True)
assert sys.stdin.read() == ""

async def main():
    try:
        while True:
            await stream.send((await stream.receive()).upper())
    except anyio.EndOfStream:
        print("no more input")
    except anyio.BrokenResourceError:
        print("nobody reads")

anyio.run(main, backend=sys.argv[1])
"""
NOISE = ["printed", "written", "from a child"]


@pytest.fixture
def claim(anyio_backend_name):
    """Run a program that claims its stdio and answers in capital letters, on both back ends."""

    def run(**streams):
        return subprocess.Popen([sys.executable, "-c", CLAIM, anyio_backend_name], stderr=subprocess.PIPE, **streams)

    return run


def noise(process, data=None):
    """Its output and the lines on its stderr, when it has ended by itself."""
    output, stderr = process.communicate(data, timeout=LIMIT_S)
    assert process.returncode == 0, stderr
    return output, stderr.decode().splitlines()


def test_nothing_but_the_protocol_reaches_a_claimed_stdout(claim):
    process = claim(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert noise(process, b"hello " * 100_000) == (b"HELLO " * 100_000, [*NOISE, "no more input"])


def test_claimed_files_and_the_null_device_work_like_pipes(claim, tmp_path):
    (tmp_path / "in").write_bytes(b"hello")
    with (tmp_path / "in").open("rb") as stdin, (tmp_path / "out").open("wb") as stdout:
        assert noise(claim(stdin=stdin, stdout=stdout))[1] == [*NOISE, "no more input"]
    assert (tmp_path / "out").read_bytes() == b"HELLO"
    assert noise(claim(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL))[1] == [*NOISE, "no more input"]


def test_claimed_sockets_keep_their_flags(claim):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = claim(stdin=theirs, stdout=theirs)
        ours.settimeout(LIMIT_S)
        ours.sendall(b"hello")
        assert ours.recv(100) == b"HELLO"
        assert os.get_blocking(theirs.fileno())
        ours.shutdown(socket.SHUT_WR)
        assert noise(process)[1] == [*NOISE, "no more input"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a pipe cannot be opened anew, so its flags are shared")
def test_claimed_pipes_keep_their_flags(claim):
    (their_stdin, stdin), (stdout, their_stdout) = os.pipe(), os.pipe()
    process = claim(stdin=their_stdin, stdout=their_stdout)
    os.write(stdin, b"hello")
    assert select.select([stdout], [], [], LIMIT_S)[0]
    assert os.read(stdout, 100) == b"HELLO"
    assert os.get_blocking(their_stdin)
    assert os.get_blocking(their_stdout)
    os.close(stdin)
    noise(process)
    for fd in (their_stdin, their_stdout, stdout):
        os.close(fd)


def test_a_claimed_stdout_that_nobody_reads_is_told_by_the_first_send(claim):
    reading, writing = os.pipe()
    os.close(reading)
    process = claim(stdin=subprocess.PIPE, stdout=writing)
    os.close(writing)
    assert noise(process, b"hello")[1] == [*NOISE, "nobody reads"]


def test_a_claimed_terminal_is_read_and_written(claim):
    ours, theirs = pty.openpty()
    process = claim(stdin=theirs, stdout=theirs)
    os.close(theirs)
    os.write(ours, b"hello\n")
    seen = b""
    while b"HELLO" not in seen:
        assert select.select([ours], [], [], LIMIT_S)[0]
        seen += os.read(ours, 100)
    os.write(ours, b"\x04")
    assert noise(process)[1] == [*NOISE, "no more input"]
    os.close(ours)


async def test_what_is_offered_is_written_whole_or_not_at_all():
    async with loop() as stream:
        assert stream.offer(b"one\n")
        taken = 1
        while stream.offer(b"x" * 999 + b"\n"):
            taken += 1
        assert 1 < taken < 100
        found = await collect(stream, 4 + (taken - 1) * 1000)
        assert found.count(b"\n") == taken
        assert found.endswith(b"x\n")
        assert stream.offer(b"two\n")
        assert await stream.receive() == b"two\n"


async def test_an_offer_overtakes_nothing_and_takes_no_more_than_fits():
    async with loop() as stream, anyio.create_task_group() as tasks:
        tasks.start_soon(stream.send, BIG[0])
        await anyio.wait_all_tasks_blocked()
        assert not stream.offer(b"later")
        assert await collect(stream, len(BIG[0])) == BIG[0]
        await anyio.wait_all_tasks_blocked()
        assert not stream.offer(BIG[1])
        assert stream.offer(b"later")
        assert await stream.receive() == b"later"


async def test_nothing_is_offered_to_who_does_not_read_any_more():
    async with loop() as stream:
        await stream.send_eof()
        assert not stream.offer(b"late")


async def test_who_is_cancelled_already_sends_nothing():
    async with loop() as stream:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await stream.send(b"too late")
        assert stream.offer(b"next")
        assert await stream.receive() == b"next"


WIDE = b"x" * 150_000


@pytest.mark.skipif(not hasattr(fcntl, "F_GETPIPE_SZ"), reason="only Linux tells how much a pipe holds")
async def test_a_pipe_grows_with_what_goes_through_it():
    async with loop() as stream:
        assert stream.offer(WIDE)
        assert await stream.receive(len(WIDE)) == WIDE


@pytest.mark.skipif(not hasattr(fcntl, "F_GETPIPE_SZ"), reason="only Linux tells how much a pipe holds")
async def test_who_may_have_no_wider_pipes_sends_and_receives_all_the_same(monkeypatch):
    set_size, asked = fcntl.fcntl, []

    def refused(fd, command, *size):
        if command == fcntl.F_SETPIPE_SZ:
            asked.append(size)
            raise PermissionError
        return set_size(fd, command, *size)

    async with loop() as stream:
        monkeypatch.setattr(fcntl, "fcntl", refused)
        assert not stream.offer(WIDE)
        assert not stream.offer(WIDE)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stream.send, WIDE)
            assert await collect(stream, len(WIDE)) == WIDE
    assert len(asked) == 1
