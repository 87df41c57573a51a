"""What a launcher promises of a running program: a byte stream with an identity, a stderr and an end."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path

import anyio
import pytest

from kiro_core.ports import Launcher
from kiro_core.testing.launcher_samples import BOUND_S, DEAF, ECHO, UNTIL_EOF, Launched, line, said
from kiro_core.testing.promising import promise
from kiro_core.types import Exit

_LONG = 3 * 2**20
_TAIL_BYTES = 2**18


class StreamPromises:
    """stdin, stdout, stderr and the exit status."""

    @promise("launcher.stream", core=True)
    async def test_a_program_is_a_stream_with_an_identity(self, launcher: Launcher, program: Launched) -> None:
        """What is sent arrives at its stdin and what it prints is received, while it has an identity and no status."""
        with anyio.fail_after(BOUND_S):
            async with launcher.launch(program(ECHO)) as process:
                assert process.identity
                assert process.exit is None
                for words in ("one", "grüße 世界"):
                    await process.send(f"{words}\n".encode())
                    assert await line(process) == words

    @promise("launcher.stream.long", core=True)
    async def test_long_output_comes_whole_to_a_slow_reader(self, launcher: Launcher, program: Launched) -> None:
        """Megabytes arrive whole and in order, however small the bites; no more comes at once than was asked for."""
        code = f"import sys; sys.stdout.buffer.write(bytes(range(256)) * {_LONG // 256})"
        words = bytearray()
        with anyio.fail_after(BOUND_S):
            async with launcher.launch(program(code)) as process:
                for size in (1, 7, 1000):
                    words += await process.receive(size)
                    assert len(words) <= 1008
                words += await said(process)
        assert bytes(words) == bytes(range(256)) * (_LONG // 256)

    @promise("launcher.stream.input")
    async def test_long_input_goes_whole_to_a_slow_program(self, launcher: Launcher, program: Launched) -> None:
        """`send` writes all of it and waits while the program does not read."""
        code = "import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"
        words = os.urandom(_LONG)
        with anyio.fail_after(BOUND_S):
            async with launcher.launch(program(code)) as process:
                await process.send(words)
                await process.send_eof()
                await process.send_eof()
                assert await line(process) == hashlib.sha256(words).hexdigest()

    @promise("launcher.stream.cancelled")
    async def test_a_cancelled_send_is_not_torn(self, launcher: Launcher, program: Launched, folder: Path) -> None:
        """A `send` that is cancelled midway is whole all the same once another one follows: no line is torn."""
        code = "import sys; open(sys.argv[1]).read(); print(len(sys.stdin.buffer.read()))"
        os.mkfifo(folder / "go")
        with anyio.fail_after(BOUND_S):
            async with launcher.launch(program(code, str(folder / "go"))) as process:
                with anyio.move_on_after(0.2) as cut:
                    await process.send(b"x" * _LONG)
                assert cut.cancelled_caught
                async with await anyio.open_file(folder / "go", "w"):
                    pass
                await process.send(b"end")
                await process.send_eof()
                assert await line(process) == str(_LONG + 3)

    @promise("launcher.stderr")
    async def test_a_chatty_stderr_blocks_nobody_and_its_tail_is_bounded(
        self, launcher: Launcher, program: Launched
    ) -> None:
        """Stderr that nobody reads does not stop the program, and its last lines are kept, and not much more."""
        code = "import sys\nfor n in range(40000): print('line', n, 'x' * 50, file=sys.stderr)\nprint('done')"
        with anyio.fail_after(BOUND_S):
            async with launcher.launch(program(code)) as process:
                assert await said(process) == b"done\n"
                await process.wait()
                tail = process.stderr_tail()
        assert tail.splitlines()[-1].startswith("line 39999 ")
        assert len(tail) < _TAIL_BYTES

    @promise("launcher.exit", core=True)
    @pytest.mark.parametrize(("code", "status"), [("sys.exit(3)", 3), ("os.kill(os.getpid(), 9)", -signal.SIGKILL)])
    async def test_how_it_ended_is_known(self, launcher: Launcher, program: Launched, code: str, status: int) -> None:
        """Whoever waits gets the exit code, or minus the signal; the last words are there, and the streams are over."""
        code = f"import os, sys; print('last words', file=sys.stderr, flush=True); {code}"
        with anyio.fail_after(BOUND_S):
            async with launcher.launch(program(code)) as process:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(process.wait)
                    tasks.start_soon(process.wait)
                assert await process.wait() == process.exit == Exit(status)
                assert process.stderr_tail().strip() == "last words"
                assert await said(process) == b""
                with pytest.raises(anyio.BrokenResourceError):
                    await process.send(b"x" * _LONG)

    @promise("launcher.output-only")
    async def test_a_command_that_nobody_talks_to_has_one_output(self, launcher: Launcher, program: Launched) -> None:
        """With `output_only` its stdin is empty, and its stderr stands in its stdout in order."""
        code = "import os, sys; os.write(1, b'a'); os.write(2, b'b'); os.write(1, sys.stdin.buffer.read() + b'c')"
        with anyio.fail_after(BOUND_S):
            async with launcher.launch(program(code, output_only=True)) as process:
                assert await said(process) == b"abc"
                assert await process.wait() == Exit(0)

    @promise("launcher.several")
    async def test_several_programs_do_not_know_each_other(self, launcher: Launcher, program: Launched) -> None:
        """Each has its own streams, identity and end; a deaf one delays no other."""
        with anyio.fail_after(BOUND_S):
            async with launcher.launch(program(DEAF)) as deaf, launcher.launch(program(UNTIL_EOF)) as other:
                assert await line(deaf) == "up"
                assert deaf.identity != other.identity
                await other.send_eof()
                assert await other.wait() == Exit(5)
                assert deaf.exit is None
