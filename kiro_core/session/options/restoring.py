"""Give an agent back the choices that a session was made with, since it may have forgotten them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from kiro_core.errors import Disconnected, KiroError
from kiro_core.frames import Frame
from kiro_core.session.options.native import NativeOptions
from kiro_core.session.plan import Plan
from kiro_core.types import Notice

Ask = Callable[[Frame], Awaitable[dict[str, Any]]]
"""Sends the agent a request and returns its result, or raises a `KiroError`."""


async def restore(ask: Ask, native: NativeOptions, plan: Plan, session: str) -> list[Notice]:
    """Set mode and options as recorded where the agent has others now; what could not be set is told.

    A mode in which it would stop asking is not set: that took a person's yes, who may be another one now.
    """
    notices = []
    for name, value, frame in _wanted(native, plan, session):
        mode = native.mode_in(frame)
        try:
            if plan.engine.stops_asking(mode):
                reason = "in it nothing is asked, so somebody has to choose it again"
            else:
                native.applied(frame, await ask(frame))
                continue
        except Disconnected:
            raise
        except KiroError as error:
            reason = str(error)
        sentence = f"The session's {name} '{value}' is not set again: {reason.rstrip('.')}."
        notices.append(Notice("not_restored", sentence, details={"option": name, "value": value}))
    return notices


def _wanted(native: NativeOptions, plan: Plan, session: str) -> Iterator[tuple[str, Any, Frame]]:
    info = plan.info
    if info.mode and native.mode and info.mode != native.mode and plan.engine.agents != "mode":
        yield "mode", info.mode, native.to_set_mode(session, info.mode)
    for name, value in info.options.items():
        option = native.get(name)
        if option is not None and option.get("currentValue") != value:
            params = {"sessionId": session, "configId": name, "value": value}
            boolean = {"type": "boolean"} if isinstance(value, bool) else {}
            yield name, value, Frame.of("session/set_config_option", {**params, **boolean}, id=0)
