"""Plays the steps one after the other, and tells of each whether it has shown what it promises."""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from kiro_core.cli.demo.home import temporary_home
from kiro_core.cli.demo.narrating import Narrator
from kiro_core.cli.demo.shell import Shell, open_shell
from kiro_core.cli.demo.step import Step
from kiro_core.cli.demo.steps import STEPS
from kiro_core.cli.text import tell
from kiro_core.errors import KiroError

_STEP_S = 120.0
"""Far more than one takes; a machine that is busy with other things is no failure."""
_GREETING = """\
These are kiro-core's own commands, with what they print. A folder stands for your home, so nothing of yours is
read or changed. The agent program is the built-in rehearsal, which does what its prompt says.
"""
_FAREWELL = """
That was all. Now with an agent program of yours: `kiro-core engines` shows which are here, `kiro-core run "Hello"`
talks to one. docs/start.md goes on from there."""


async def perform(narrator: Narrator, *, keep: bool) -> None:
    """Give the demo, from the making of its home to the removal.

    Raises:
        KiroError: a step has not shown what it promises; those behind it were not begun.

    """
    with temporary_home(keep=keep) as home:
        narrator.say(_GREETING)
        for line in home.entered():
            narrator.command(line)
        try:
            async with open_shell(home, narrator) as shell:
                await _play(STEPS, shell, narrator)
        finally:
            if keep:
                tell(f"Everything is kept in {home.folder}.")
    narrator.say(_FAREWELL)


async def _play(steps: Sequence[Step], shell: Shell, narrator: Narrator) -> None:
    for number, step in enumerate(steps, 1):
        narrator.begin(step, number, len(steps))
        begun = anyio.current_time()
        try:
            with anyio.fail_after(_STEP_S):
                await step.act(shell)
        except (KiroError, TimeoutError) as error:
            reason = str(error) or f"It was not over within {_STEP_S:g} s."
            narrator.end(step, anyio.current_time() - begun, reason)
            raise KiroError(
                f"The demo has not shown what its step {step.name!r} promises. {reason}",
                hint="With --keep its folder stays, and can be looked at.",
            ) from error
        narrator.end(step, anyio.current_time() - begun, "")
