"""What a launcher promises of the end: behind the block nothing is left, whatever the program does about it."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from kiro_core.ports import Launcher
from kiro_core.testing.launcher_samples import BOUND_S, DEAF, HOLDING, PARENT, UNTIL_EOF, Launched, line, outlived
from kiro_core.testing.promising import promise
from kiro_core.types import Exit

_BESIDE, _APART = PARENT % False, PARENT % True


class LeavingPromises:
    """Asked first, then made to, and never in part."""

    @promise("launcher.leaving.asked")
    async def test_it_is_asked_first(self, launcher: Launcher, program: Launched) -> None:
        """On leaving its stdin ends, and a program that goes by that has its own exit status."""
        with anyio.fail_after(BOUND_S):
            async with launcher.launch(program(f"print('up', flush=True); {UNTIL_EOF}")) as process:
                await line(process)
        assert process.exit == Exit(5)

    @promise("launcher.leaving.deaf", core=True)
    async def test_one_that_ignores_everything_is_ended(
        self, launcher: Launcher, program: Launched, folder: Path
    ) -> None:
        """A program that ignores the end of its stdin and SIGTERM has ended behind the block."""
        with anyio.fail_after(BOUND_S):
            async with outlived(folder) as held:
                async with launcher.launch(program(HOLDING + DEAF, held)) as process:
                    await line(process)
                assert process.exit is not None

    @promise("launcher.leaving.cancelled", core=True)
    async def test_cancellation_ends_it_all_the_same(self, launcher: Launcher, program: Launched, folder: Path) -> None:
        """A block that is cancelled ends the program before it is left: clean-up is shielded and bounded."""
        with anyio.fail_after(BOUND_S):
            async with outlived(folder) as held:
                with anyio.CancelScope() as scope:
                    async with launcher.launch(program(HOLDING + DEAF, held)) as process:
                        await line(process)
                        scope.cancel()
                        await anyio.sleep_forever()
                assert scope.cancelled_caught
                assert process.exit is not None

    @promise("launcher.leaving.error")
    async def test_what_the_block_raises_leaves_as_it_is(self, launcher: Launcher, program: Launched) -> None:
        """An error of the block comes out alone, and the program has ended."""
        with anyio.fail_after(BOUND_S), pytest.raises(LookupError, match="mine") as caught:
            async with launcher.launch(program(UNTIL_EOF)) as process:
                raise LookupError("mine")
        assert type(caught.value) is LookupError
        assert process.exit is not None

    @promise("launcher.leaving.children", core=True)
    @pytest.mark.parametrize("then", ["sys.stdin.read()", "sys.exit(0)", DEAF], ids=["asked", "gone", "deaf"])
    async def test_what_it_has_started_ends_with_it(
        self, launcher: Launcher, program: Launched, folder: Path, then: str
    ) -> None:
        """A child of the program has ended behind the block, also where the program had ended before its child."""
        await self._leaves_nothing(launcher, program, folder, _BESIDE + then)

    @promise("launcher.leaving.sessions")
    @pytest.mark.parametrize("then", ["sys.stdin.read()", "sys.exit(0)"], ids=["asked", "gone"])
    async def test_helpers_with_a_session_of_their_own_end_too(
        self, launcher: Launcher, program: Launched, folder: Path, then: str
    ) -> None:
        """A helper that left the program's session and group (`setsid`) has ended behind the block, too."""
        await self._leaves_nothing(launcher, program, folder, _APART + then)

    @staticmethod
    async def _leaves_nothing(launcher: Launcher, program: Launched, folder: Path, code: str) -> None:
        with anyio.fail_after(BOUND_S):
            async with outlived(folder) as held, launcher.launch(program(code, held)) as process:
                assert await line(process) == "up"
                if "exit" in code:
                    await process.wait()
