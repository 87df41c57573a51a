"""What a trigger's exit code means (kiro.dev, Hooks): 0 is well, 2 keeps a tool from running, the rest are failures."""

from __future__ import annotations

from collections.abc import Sequence

from kiro_core.agentconfig.triggers.command import Ended
from kiro_core.agentconfig.triggers.outcome import Outcome, TriggerRun
from kiro_core.agentconfig.triggers.wording import failure_of, text_of, words_of
from kiro_core.types import Notice

GATE = "preToolUse"
CALLS = (GATE, "postToolUse")
"""The events of a tool call, in which a matcher says of which."""

_HEARD = ("agentSpawn", "userPromptSubmit")
"""The events whose triggers say something to the model."""

_BLOCKS = 2


def judged(event: str, ran: Sequence[tuple[TriggerRun, Ended]], origin: str, *, fail_closed: bool) -> Outcome:
    """All runs of an event together; `fail_closed` tells that a failure of `preToolUse` keeps the tool from running."""
    context, reasons, notices = [], [], []
    for run, ended in ran:
        if ended.status == 0:
            context += [text_of(ended)] if event in _HEARD else []
        elif ended.status == _BLOCKS and event == GATE:
            reasons.append(ended.words or f"The trigger {run.name} does not allow it.")
        else:
            kept_from = ", so the tool may not run" if event == GATE and fail_closed else ""
            sentence = f"{failure_of(run, origin)}{kept_from}.{words_of(ended)}"
            reasons += [sentence] if kept_from else []
            details = {"event": event, "trigger": run.name, "status": run.status, "origin": origin}
            notices.append(Notice("trigger_failed", sentence, details=details))
    blocked = "\n".join(reasons) if reasons else None
    return Outcome("\n\n".join(filter(None, context)), blocked, [run for run, _ in ran], notices)
