"""What a launcher promises of desks that were killed: what they left behind is ended, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import anyio

from kiro_core.ports import Launcher
from kiro_core.testing.elsewhere import StartedElsewhere
from kiro_core.testing.launcher_samples import BOUND_S, DEAF, ECHO, HOLDING, PARENT, Launched, line, outlived
from kiro_core.testing.promising import promise


class SweepingPromises:
    """Behind kill -9 of who launched."""

    @promise("launcher.sweep.live", core=True)
    async def test_what_a_living_desk_has_launched_is_not_swept(
        self, launcher: Launcher, program: Launched, elsewhere: StartedElsewhere
    ) -> None:
        """`sweep` touches no program whose desk lives, here or in another process, and tells of none."""
        command = program(ECHO)
        with anyio.fail_after(BOUND_S):
            async with launcher.launch(command) as process, elsewhere() as other:
                await other.ask("launch", argv=command.argv, cwd=command.cwd)
                assert list(await launcher.sweep()) == []
                await process.send(b"here\n")
                assert await line(process) == "here"
                assert await other.ask("send", words="there\n") == {"line": "there"}
                assert await other.ask("leave") == {"left": True}

    @promise("launcher.sweep.dead")
    async def test_what_a_killed_desk_has_left_behind_is_ended(
        self, launcher: Launcher, program: Launched, folder: Path, elsewhere: StartedElsewhere
    ) -> None:
        """What a desk left behind that was killed by kill -9 has ended soon after `sweep`, its helpers too."""
        command = program(PARENT % True + HOLDING + DEAF, "-")
        with anyio.fail_after(BOUND_S):
            async with outlived(folder) as held, elsewhere() as other:
                await other.ask("launch", argv=[*command.argv[:-1], held], cwd=command.cwd)
                assert await other.ask("line") == {"line": "up"}
                await other.killed()
                for receipt in await launcher.sweep():
                    assert receipt.identity
                    assert receipt.ended >= 1
            assert list(await launcher.sweep()) == []
