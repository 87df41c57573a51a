"""An agent that asks first, and a person who says no."""

from __future__ import annotations

import json

from kiro_core.cli.demo.shell import Shell
from kiro_core.cli.demo.step import Step, require
from kiro_core.cli.demo.steps.listed import newest
from kiro_core.cli.failing import DENIED

_ASKED = "rm -r backups"
_CALL = {"title": _ASKED, "kind": "execute", "rawInput": {"command": _ASKED}}
_PROMPT = f"I shall tidy up.\n/permission {json.dumps(_CALL)}"
_NO = "3"


async def _act(shell: Shell) -> None:
    run = await shell.at_terminal("run", "-s", "carl", _PROMPT)
    await run.says("Your answer [1-3]:")
    await run.types(_NO)
    ended = await run.ended()
    shell.narrator.output(ended.output)
    require("3. no" in ended.output, "The third answer is not a no.")
    require("Permission: reject_once." in ended.output, "The agent has not been told the answer.")
    require(ended.code == DENIED, f"The run has ended with status {ended.code} and not with {DENIED}.")
    told = await shell.run("sessions", "audit", await newest(shell, "carl"))
    require(f"denied shell: {_ASKED} (client" in told.output, "The answer is not on record.")


QUESTION = Step(
    "question",
    "An agent asks before it acts; a person's no is what it gets, and what is on record.",
    "This demo sits at the terminal, a pseudo-terminal, and types 3. Where nobody is there to ask, the answer\n"
    "is no as well.",
    f"the agent was told no, the exit code is {DENIED}, and the audit says who has decided.",
    _act,
)
