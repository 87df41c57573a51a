"""After all that has happened: is what is stored whole?"""

from __future__ import annotations

from kiro_core.cli.demo.shell import Shell
from kiro_core.cli.demo.step import Step, require
from kiro_core.cli.failing import DONE

_SESSIONS = 8
"""Four conversations, a run, and its three stages."""


async def _act(shell: Shell) -> None:
    stopped = await shell.run("serve", "stop")
    require(stopped.code == DONE and "It has ended." in stopped.output, "The desk has not ended in order.")
    told = await shell.run("sessions", "verify")
    require(told.code == DONE, f"Something is wrong with a record: status {told.code}.")
    expected = f"{_SESSIONS} sessions checked, none with something to tell"
    require(expected in told.output.splitlines(), f"Not all of {_SESSIONS} sessions are whole.")


VERIFIED = Step(
    "verified",
    "Every record is whole, that of the killed desk too.",
    "`serve stop` lets a desk end in order. `sessions verify` reads all that is stored: that nothing is torn, lost,\n"
    "doubled or out of order.",
    f"{_SESSIONS} sessions were read, and nothing is wrong with them.",
    _act,
)
