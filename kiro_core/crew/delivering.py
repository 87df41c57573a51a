"""The report of a run as a letter, for the session that asked for it and does not wait."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kiro_core.crew.posting import post_when_room
from kiro_core.errors import SessionNotFound
from kiro_core.types import LETTER_CHARACTERS, Letter, SessionId, SessionInfo

if TYPE_CHECKING:
    from kiro_core.crew.ground import Ground

_LOG = logging.getLogger(__name__)


async def deliver(ground: Ground, run: SessionInfo, report: Mapping[str, Any], hops: int) -> None:
    """Put the report of a run that has ended into its parent's inbox, once however often; no parent, no letter.

    So many letters led to the run (`hops`): it leads to one more.

    Raises:
        InboxFull, Unavailable: it is not there; for a parent that is open here, room is waited for.

    """
    if not run.parent:
        return
    about = {"session": run.id, "name": report["name"], "outcome": report["outcome"], "kind": "run"}
    text = _text(report, run.id)
    letter = Letter(
        f"{run.id}:report", sender=run.id, name=report["name"], kind="result", text=text, hops=hops + 1, about=about
    )
    try:
        await post_when_room(ground, SessionId(run.parent), letter)
    except SessionNotFound:
        _LOG.info("run %s: nobody gets its report, since the session %s is gone", run.id, run.parent)


def _text(report: Mapping[str, Any], run: str) -> str:
    """How each stage came out and what it came to; of results that are too long the beginning."""
    head = [f"The run {run} of the crew {report['name']!r} has ended: {report['outcome']}."]
    head += [f"- {stage['id']}: {_became(stage)}" for stage in report["stages"]]
    results = [f"Result of {stage['id']}:\n{stage['result']}" for stage in report["stages"] if stage["result"]]
    text = "\n\n".join(["\n".join(head), *results])
    left_out = f"\n\n[The rest is left out; the sessions of the stages are below {run}.]"
    return text if len(text) <= LETTER_CHARACTERS else text[: LETTER_CHARACTERS - len(left_out)] + left_out


def _became(stage: Mapping[str, Any]) -> str:
    why = stage["reason"] or stage["error"]
    return ": ".join(filter(None, (stage["outcome"], " ".join(why.split())[:200])))
