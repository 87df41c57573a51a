"""Two sessions that need each other, so that it cannot be a trick of order."""

from __future__ import annotations

import os

from kiro_core.cli.demo.shell import Shell
from kiro_core.cli.demo.step import Step, require
from kiro_core.cli.failing import DONE

_WORD = "Hello from ann"
_ALLOWED = ("--trust-tools", "shell")


async def _act(shell: Shell) -> None:
    await shell.serve()
    shell.narrator.command("mkfifo door")
    os.mkfifo(shell.home.work / "door", 0o600)
    ann = await shell.begin("run", "-s", "ann", *_ALLOWED, f'/run sh -c "echo {_WORD} > door"')
    await ann.says("tool: ")
    status = await shell.run("serve", "status")
    require("turns that run: 1" in status.output, "The desk does not have ann's turn.")
    bob = await shell.run("run", "-s", "bob", *_ALLOWED, "/run cat door")
    ended = await ann.ended()
    shell.narrator.say("\nann's run, which was in the background:")
    shell.narrator.output(ended.output)
    require(bob.code == DONE and _WORD in bob.output, "bob's agent has not read what ann's has written.")
    require(ended.code == DONE, f"ann's run has ended with status {ended.code}.")


TOGETHER = Step(
    "together",
    "Two sessions work at the same time, behind a desk that stays.",
    "What ann's agent writes into a pipe, bob's reads from it: neither can end without the other. Their runs find\n"
    "the desk by themselves; --trust-tools allows the one tool that they need.",
    "ann's turn was seen in the desk, and both have ended, which neither could alone.",
    _act,
)
