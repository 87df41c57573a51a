"""How a trigger is spoken of: by its program, since its arguments may be secrets, and by what became of it."""

from __future__ import annotations

import re
import shlex
from codecs import getincrementaldecoder

from kiro_core.agentconfig.triggers.command import Ended
from kiro_core.agentconfig.triggers.outcome import TriggerRun
from kiro_core.explain import last_words
from kiro_core.types import Exit

_SHELL = "sh"
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_LONGEST_NAME = 80
_LONGEST_WORDS = 500
_CUT = " ... truncated"  # as Kiro marks it


def name_of(command: str) -> str:
    """The program of a shell command; variables set in front of it may be secrets too. `sh` where it cannot be told."""
    try:
        words = shlex.split(command, comments=True)
    except ValueError:
        return _SHELL
    name = next((word for word in words if not _ASSIGNMENT.match(word)), _SHELL)
    return "".join(sign if sign.isprintable() else "?" for sign in name[:_LONGEST_NAME])


def text_of(ended: Ended) -> str:
    """What it said to the model; a character that was cut in two is left out."""
    text = getincrementaldecoder("utf-8")("replace").decode(ended.output).rstrip()
    return text + _CUT if ended.size > len(ended.output) else text


def failure_of(run: TriggerRun, origin: str) -> str:
    """A sentence about a trigger that did not do what it should, without its full stop."""
    match run.status:
        case "timeout":
            became = "did not end in time and was ended"
        case "failed":
            became = "could not be run"
        case code:
            became = f"ended with {Exit(int(code))}"
    return f"The trigger {run.event} ({run.name}){f' of {origin}' if origin else ''} {became}"


def words_of(ended: Ended) -> str:
    """What it said of that itself, as one more sentence or none; for one that did not start, why."""
    words = ended.words if ended.status == "failed" else last_words(ended.words) if ended.words else ""
    return f" {words[:_LONGEST_WORDS]}" if words else ""
