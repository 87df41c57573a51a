"""Take up what a killed desk left behind in a session: turns of unknown outcome, and prompts that were never sent."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kiro_core.journal import prompted
from kiro_core.recovery import Unfinished, unfinished, untold
from kiro_core.session.prompts import prompt_title
from kiro_core.session.turn import unsettled
from kiro_core.types import Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_CUT_OFF = "The desk ended while the agent was at work; what the agent did is not known, and nothing is repeated."
_UNREAD = "The desk ended before the messages were told to the agent; they are unread, and come with the next prompt."
_DROPPED = "The desk ended before the prompt was sent, and the setting `waiting_prompts` drops such prompts."


async def take_up(session: Session) -> list[Notice]:
    """Give each turn that was begun the state "unknown", and keep or drop the rest; what the client has to be told.

    Raises:
        Unavailable, Fenced: it could not be recorded.

    """
    read = partial(session.tools.store.read, session.plan.info.id)
    found = await unfinished(read, session.begun_at)
    session.inbox.untold.left(await untold(read, session.begun_at))
    lost = max(session.plan.info.configured, int(session.plan.info.spoken)) - session.begun_at
    begun = [turn for turn in found if turn.begun]
    woken = [turn for turn in found if not turn.begun and prompted(turn.prompt).messages]
    waiting = [turn for turn in found if not turn.begun and turn not in woken]
    notices = [_shortened()] if lost > 0 else []
    notices += [_unknown(turn) for turn in begun]
    if waiting:
        notices.append(_waiting(waiting, session.tools.waiting_prompts))
    drops = session.tools.waiting_prompts == "drop"
    for number, turn in enumerate(begun, 1):
        still = [turn.id for turn in (*begun[number:], *woken, *waiting)]
        await session.journal.settled("turn_ended", unsettled("unknown", _CUT_OFF, still), turn.id)
    for number, turn in enumerate(woken, 1):
        still = [turn.id for turn in (*woken[number:], *waiting)]
        await session.journal.settled("turn_ended", unsettled("cancelled", _UNREAD, still), turn.id)
    for number, turn in enumerate(waiting, 1):
        if drops:
            still = [turn.id for turn in waiting[number:]]
            await session.journal.settled("turn_ended", unsettled("cancelled", _DROPPED, still), turn.id)
        elif session.turns is not None:
            session.turns.wait_again(turn.id, turn.prompt)
    return notices


def _shortened() -> Notice:
    return Notice("record_shortened", "The end of the session's record is missing; what was in it is lost.")


def _unknown(turn: Unfinished) -> Notice:
    why = "was cut off" if not turn.damaged else "has no end on record, which is damaged there"
    sentence = (
        f"The turn that began with {prompt_title(turn.prompt)!r} {why}; how far it came is not known, "
        "and it is not repeated."
    )
    return Notice("turn_unknown", sentence, details={"turn": turn.id})


def _waiting(turns: list[Unfinished], setting: str) -> Notice:
    what = {"drop": "are dropped", "resume": "are sent now"}.get(setting, "wait for your word")
    texts = "; ".join(repr(prompt_title(turn.prompt)) for turn in turns)
    sentence = f"These prompts were accepted and not sent before the session was cut off, and {what}: {texts}."
    return Notice("prompts_waiting", sentence, details={"turns": [turn.id for turn in turns]})
