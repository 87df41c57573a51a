"""Many sessions at a time, a rule of your own for what agents may do, and a deadline for each turn."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from kiro_core import Frame, PeerInfo, load_settings, messages, open_desk, result
from kiro_core.ports import Agent

TASKS = {"/permission Read the notes": 60.0, "/permission Delete old backups": 60.0, "/sleep 600": 0.5}
"""What each session is asked, and for how many seconds."""


@dataclass
class Rules:
    """A client for all sessions: it collects what each says, and allows what only reads."""

    info = PeerInfo("many_sessions")
    said: dict[str, str] = field(default_factory=dict)

    async def notify(self, frames: Sequence[Frame]) -> None:
        """Sort what is shown by session."""
        for frame in frames:
            session = frame.session or ""
            self.said[session] = self.said.get(session, "") + messages.said(frame)

    async def request(self, frame: Frame) -> Frame:
        """Decide about a tool by its title."""
        title = str(frame.params.get("toolCall", {}).get("title"))
        return messages.allow(frame) if title.startswith("Read ") else messages.refuse(frame)


async def work(agent: Agent, rules: Rules, text: str, seconds: float) -> None:
    """Have one turn in a session of its own, and end both."""
    session = result(await agent.new(messages.new_session(Path.cwd())), "No session")["sessionId"]
    turn = await agent.prompt(messages.prompt(session, text))
    with anyio.move_on_after(seconds):
        await turn.settled()  # the turn goes on whether anybody waits for it or not
    await turn.cancel()  # which does nothing to one that has settled
    outcome = result(await turn.settled(), "The turn failed")
    print(f"{text}: {outcome['stopReason']} {rules.said.get(session, '').strip()}")
    await agent.close(messages.close(session))


async def main() -> None:
    """Open one desk for all of them."""
    rules = Rules()
    async with (
        open_desk(load_settings(), engine="rehearsal") as desk,
        desk.attach(rules) as agent,
        anyio.create_task_group() as tasks,
    ):
        for text, seconds in TASKS.items():
            tasks.start_soon(work, agent, rules, text, seconds)


anyio.run(main)
