"""Ask an agent one thing, show what it says while it says it, and refuse whatever it wants to do."""

import sys
from collections.abc import Sequence
from pathlib import Path

import anyio

from kiro_core import Frame, PeerInfo, load_settings, messages, open_desk, result


class Terminal:
    """A client: it is shown what the agent says, and answers what the agent asks."""

    info = PeerInfo("one_prompt")

    async def notify(self, frames: Sequence[Frame]) -> None:
        """Take a batch of what is shown, in order."""
        for frame in frames:
            print(messages.said(frame), end="", flush=True)

    async def request(self, frame: Frame) -> Frame:
        """Answer a question."""
        return messages.refuse(frame)


async def main(text: str) -> None:
    """Open a desk, a session in the current folder and a turn; leaving the blocks ends all of it."""
    async with (
        open_desk(load_settings(), engine="rehearsal") as desk,
        desk.attach(Terminal()) as agent,
    ):
        opened = result(await agent.new(messages.new_session(Path.cwd())), "No session")
        turn = await agent.prompt(messages.prompt(opened["sessionId"], text))
        outcome = result(await turn.settled(), "The turn failed")
        print(f"\n{outcome['stopReason']}")


anyio.run(main, " ".join(sys.argv[1:]) or "Hello")
