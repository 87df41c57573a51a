"""How many sessions a desk opens, and agent programs it runs: for one more, the one that has idled longest sleeps."""

from __future__ import annotations

from collections.abc import Collection

import anyio

from kiro_core.errors import DeskFull
from kiro_core.session import Session
from kiro_core.settings import Limits
from kiro_core.types import SessionId


def require_place(live: Collection[SessionId], limits: Limits) -> None:
    """Make sure that the desk may have one more session open.

    Raises:
        DeskFull: `limits.max_sessions` are.

    """
    if 0 < limits.max_sessions <= len(live):
        raise DeskFull(
            f"{len(live)} sessions are open here, and `limits.max_sessions` allows no more.",
            hint="Close one of them, or raise that limit in the settings.",
            max_sessions=limits.max_sessions,
        )


async def make_room(session: Session, live: Collection[Session], limits: Limits) -> None:
    """Let a session have an agent program, which counts from then on as `engaged`.

    Raises:
        DeskFull: as many as `limits.max_agents` allows are at work, or one did not end in `limits.control_s`.

    """
    with anyio.move_on_after(limits.control_s):
        while limits.max_agents and sum(each.engaged for each in live) >= limits.max_agents:
            others = [each for each in live if each is not session]
            asleep_soon = [each for each in others if each.resting.may_sleep]
            idle = asleep_soon or [each for each in others if each.resting.may_end]
            if not idle:
                raise DeskFull(
                    f"As many agent programs run as limits.max_agents allows ({limits.max_agents}), "
                    "and each is at work, or somebody has its session open and it could not come back to it.",
                    hint="Wait for a turn to end, close a session, or raise the limit.",
                )
            longest = min(idle, key=lambda each: each.resting.since)
            if longest in asleep_soon:
                longest.resting.sleep()
            else:
                longest.begin_closing()
            await longest.resting.stirred()
        # In the same step as the look, so that no other session takes the place.
        session.engaged = True
        return
    raise DeskFull(
        f"No idle agent program ended within {limits.control_s:g} s to make room for another one.",
        hint="Wait for a turn to end, close a session, or raise limits.max_agents.",
    )
