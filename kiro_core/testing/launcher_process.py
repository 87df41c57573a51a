"""A process that launches as it is told, like a desk, and that a test can kill like one."""

from __future__ import annotations

from collections.abc import Sequence

from kiro_core.ports import Launcher
from kiro_core.testing.elsewhere import Lines, serve
from kiro_core.testing.launcher_samples import line
from kiro_core.types import Command


async def _use(backend: Launcher, lines: Lines) -> None:
    """Launch one command at a time, told `launch`, `send` and `line`, and `leave`."""
    while told := await lines.hear():
        await _launched(backend, lines, told["argv"], told["cwd"])


async def _launched(launcher: Launcher, lines: Lines, argv: Sequence[str], cwd: str) -> None:
    async with launcher.launch(Command(argv, cwd)) as process:
        await lines.say({"identity": process.identity})
        while (told := await lines.hear()) and told["do"] != "leave":
            if told["do"] == "send":
                await process.send(told["words"].encode())
            await lines.say({"line": await line(process)})
    await lines.say({"left": True})


if __name__ == "__main__":
    serve(_use)
