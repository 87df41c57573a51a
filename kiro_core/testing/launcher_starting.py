"""What a launcher promises of the start: exactly the command that was asked for, or a sentence that says why not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from kiro_core.errors import LaunchFailed
from kiro_core.ports import Launcher
from kiro_core.testing.launcher_samples import BOUND_S, Launched, said
from kiro_core.testing.promising import promise
from kiro_core.types import Command

_ARGUMENTS = ["", " two  words ", "$HOME", "`id`", "'\"\\", "a\nb", "*", "größe 世界", "--option=1;2"]


class StartingPromises:
    """Arguments, environment, working directory, and what cannot be started."""

    @promise("launcher.arguments", core=True)
    async def test_arguments_arrive_as_they_are(self, launcher: Launcher, program: Launched) -> None:
        """No shell reads the arguments: blanks, quotes, newlines and dollar signs arrive as they are."""
        found = await _json(launcher, program("import json, sys; print(json.dumps(sys.argv[1:]))", *_ARGUMENTS))
        assert found == _ARGUMENTS

    @promise("launcher.environment")
    async def test_the_environment_is_what_the_command_makes_of_it(
        self, launcher: Launcher, program: Launched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """`env` is added and `unset` taken away first, so that what is in both is there."""
        code = "import json, os; print(json.dumps(dict(os.environ)))"
        for name in ("KIT_OURS", "KIT_BOTH"):
            monkeypatch.setenv(name, "inherited")
        env, unset = {"KIT_ADDED": "1 '$x' größe", "KIT_BOTH": "2"}, ["KIT_OURS", "KIT_BOTH", "KIT_NEVER_SET"]
        found = await _json(launcher, program(code, env=env, unset=unset))
        assert {name: value for name, value in found.items() if name.startswith("KIT_")} == env

    @promise("launcher.cwd")
    async def test_it_works_in_the_folder_of_the_command(
        self, launcher: Launcher, program: Launched, folder: Path
    ) -> None:
        """The program begins in `cwd`, whatever the name of that folder is."""
        work = folder / "größe und mehr"
        work.mkdir()
        (work / "found").write_text("here")
        code = "import json, pathlib; print(json.dumps(pathlib.Path('found').read_text()))"
        assert await _json(launcher, program(code, cwd=str(work))) == "here"

    @promise("launcher.missing", core=True)
    async def test_a_program_that_is_missing_is_named(self, launcher: Launcher, folder: Path) -> None:
        """A missing program is `LaunchFailed` with its name in the sentence and a hint, on leaving at the latest."""
        await _refused(launcher, Command(["no-such-program", "--option"], str(folder)), "no-such-program")

    @promise("launcher.no-folder")
    async def test_a_working_directory_that_is_missing_is_named(
        self, launcher: Launcher, program: Launched, folder: Path
    ) -> None:
        """A `cwd` that does not exist is `LaunchFailed` on entering, with the folder in the sentence."""
        await _refused(launcher, program("", cwd=str(folder / "gone")), "gone")


async def _json(launcher: Launcher, command: Command) -> Any:
    """What a program prints, and that it ends well."""
    with anyio.fail_after(BOUND_S):
        async with launcher.launch(command) as process:
            words = await said(process)
            assert (await process.wait()).code == 0, process.stderr_tail()
    return json.loads(words)


async def _refused(launcher: Launcher, command: Command, name: str) -> None:
    with anyio.fail_after(BOUND_S), pytest.raises(LaunchFailed) as refused:
        async with launcher.launch(command) as process:
            await process.wait()
    assert name in str(refused.value)
    assert refused.value.hint
