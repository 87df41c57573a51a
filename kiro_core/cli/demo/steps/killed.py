"""The worst that can happen to a desk, and what the next one makes of it."""

from __future__ import annotations

from kiro_core.cli.demo.shell import Shell
from kiro_core.cli.demo.step import Step, require
from kiro_core.cli.demo.steps.listed import newest
from kiro_core.cli.failing import DONE, FAILED

_HALF = "The first half is done."
_PROMPT = f"/echo {_HALF}\n/sleep 600"
_NOT_KNOWN = "was cut off; how far it came is not known, and it is not repeated."


async def _act(shell: Shell) -> None:
    await _kill_in_mid_turn(shell)
    await shell.serve()
    again = await shell.run("run", "-s", "dora", "Go on.")
    require(again.code == DONE, f"The session does not go on: status {again.code}.")
    require(_NOT_KNOWN in again.output, "Nobody has been told that the turn was cut off.")
    shown = (await shell.run("sessions", "show", await newest(shell, "dora"))).output.splitlines()
    require(f"agent: {_HALF}" in shown, "What was shown is not on record.")
    begun, ended = (sum(line.startswith(word) for line in shown) for word in ("you: ", "turn: "))
    require((begun, ended) == (2, 2), f"Of two turns {begun} are on record, with {ended} ends.")
    require(sum(line.startswith("turn: unknown") for line in shown) == 1, "The turn's end is not told as unknown.")


async def _kill_in_mid_turn(shell: Shell) -> None:
    run = await shell.begin("run", "-s", "dora", _PROMPT)
    await run.says(_HALF)
    shown = len(run.output)
    shell.narrator.output(run.output)
    await shell.kill_desk()
    ended = await run.ended()
    shell.narrator.say("\ndora's run, which was in the background:")
    shell.narrator.output(ended.output[shown:].lstrip())
    require(ended.code == FAILED, f"dora's run has ended with status {ended.code}, as if nothing had happened.")
    require("has ended" in ended.output, "dora's run has not said that the desk has ended.")


KILLED = Step(
    "killed",
    "The desk is killed in mid-turn: the next one has all that was shown, and says what nobody can know.",
    "dora's agent has said a half and would work on for ten minutes. kill -9 gives the desk no time to write\n"
    "anything. The rehearsal agent does not remember a session of before, so it is told the record as text.",
    "what was shown is on record, the turn ended as unknown, once, and the session went on.",
    _act,
)
